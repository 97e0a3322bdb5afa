/** Updates on a real box: its files, RAUC and systemd, and what the rest of control knows. */
import { writeFileSync } from "node:fs";
import type { Logger } from "pino";
import { failedUnits, readFloor, readImageBox, readLastFailure, systemRauc } from "../appliance/index.ts";
import type { AuditLog, Database } from "../audit/index.ts";
import { messageOf, type Clock } from "../base/index.ts";
import { gatewaySessions, netdStatus } from "../link/index.ts";
import type { UpdateSettings } from "../settings/index.ts";
import type { Authorities } from "./authorities.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { NetdLink } from "./netd-link.ts";
import { reasonsAgainst } from "./update-health.ts";
import { UpdateStore } from "./update-store.ts";
import { Updates } from "./update.ts";

/** A systemd path unit (niac-restart.path) waits for it: control itself may not restart the box. */
const RESTART = "/run/niac-update/restart";

export interface UpdateSurroundings {
  readonly db: Database;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: UpdateSettings;
  readonly gateway: Pick<GatewayLink, "attached" | "call">;
  readonly netd: Pick<NetdLink, "state" | "call">;
  readonly authorities: Pick<Authorities, "plant" | "upstream" | "keyring">;
  /** Version of the site document in force; 0: there is none. */
  readonly site: () => number;
  readonly fault: (why: string | null, advice?: string) => void;
}

export function systemUpdates(around: UpdateSurroundings): Updates {
  const box = readImageBox();
  if (box === null) return new Updates(null);
  const { db, audit, clock, log, settings, gateway } = around;
  return new Updates({
    store: new UpdateStore(db),
    audit,
    clock,
    log,
    box,
    rauc: systemRauc(),
    settings,
    floor: () => readFloor(box),
    lastFailure: () => readLastFailure(),
    sessions: async () => (gateway.attached ? (await gateway.call(gatewaySessions, null)).length : 0),
    unhealthy: () => unhealthy(around),
    restart: () => writeFileSync(RESTART, ""),
    fault: (why, advice) => around.fault(why, advice),
  });
}

async function unhealthy(around: UpdateSurroundings): Promise<string[]> {
  const { gateway, netd, audit, site } = around;
  const [failed, inForce, authority] = await Promise.all([
    failedUnits().catch((error: unknown) => [messageOf(error)]),
    netd.state === "attached" ? netd.call(netdStatus, null).then((status) => status.site ?? 0) : 0,
    lockedAuthority(around.authorities),
  ]);
  return reasonsAgainst({
    gateway: gateway.attached,
    netd: netd.state,
    ruleset: { wanted: site(), inForce },
    authority,
    audit: audit.state,
    failedUnits: failed,
  });
}

/** Why the keys of an authority that there is do not open; null: they do. */
async function lockedAuthority(authorities: UpdateSurroundings["authorities"]): Promise<string | null> {
  if (!authorities.plant.initialised && !authorities.upstream.identity.there) return null;
  try {
    await authorities.keyring();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
