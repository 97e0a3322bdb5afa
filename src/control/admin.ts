import { randomUUID } from "node:crypto";
import { parseFilter, type AuditLog, type AuditRecord } from "../audit/index.ts";
import { NIAC_VERSION, UsageError, type Channel, type Clock } from "../base/index.ts";
import * as link from "../link/index.ts";
import { stillOpen } from "../site/index.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { NetdLink } from "./netd-link.ts";
import type { Site } from "./site.ts";
import type { SiteStore } from "./site-store.ts";
import type { TrustKeeper } from "./trust.ts";

export interface AdminParts {
  readonly audit: AuditLog;
  readonly site: Site;
  readonly store: SiteStore;
  readonly link: GatewayLink;
  readonly netd: NetdLink;
  readonly trust: TrustKeeper;
  /** How the gateway's certificate stands; null: there is no gateway. */
  ownCertificate(): link.OwnCertificateState | null;
  box(): link.BoxView;
  readonly origin: string;
  readonly clock: Clock;
}

/** Records told to a follower at once: the largest there can be stay within one message of the channel. */
const FOLLOWER_BATCH = 200;
const NO_FLOWS = { forwarded: [], refused: [] };
/** Bytes a follower may have unread before it is let go. */
const FOLLOWER_BEHIND = 16 * 1024 * 1024;

/** Answers one command's channel. Whoever may open the socket is an administrator: the file's owner and root. */
export function serveAdmin(channel: Channel, parts: AdminParts): void {
  const { audit, site, store, origin, clock } = parts;
  channel.handle(link.siteApply, ({ first, text, fileName, by, note }) =>
    first ? site.applyFirst(text, fileName, by, note) : site.apply(text, fileName, by, note),
  );
  channel.handle(link.siteRollback, ({ version, by }) => site.rollback(version, by));
  channel.handle(link.siteHistory, () => store.history());
  channel.handle(link.siteShow, ({ version }) => {
    const found = version === null ? store.current() : store.get(version);
    if (found) return found;
    throw new UsageError(
      "no-site",
      "no site document was applied yet",
      "Apply one with `niac site apply <file>`.",
    );
  });
  channel.handle(link.auditRead, ({ from, limit, reverse }) =>
    audit.read({ limit, reverse, ...(from === null ? {} : { from }) }),
  );
  channel.handle(link.auditQuery, ({ words, limit, before }) =>
    audit.query(parseFilter(words, clock.now()), { limit, ...(before === null ? {} : { before }) }),
  );
  channel.handle(link.auditShow, ({ index }) => {
    const record = audit.get(index);
    if (!record) throw new UsageError("no-record", `there is no record ${index}; the log has ${audit.size}`);
    return [record, ...relatives(audit, record)];
  });
  channel.handle(link.auditFollow, () => {
    const stop = audit.subscribe(({ from, to }) => {
      // A reader that stands still must not make control's memory grow; it can ask again from where it was.
      if (channel.unsent > FOLLOWER_BEHIND) {
        channel.close();
        return;
      }
      for (let at = from; at < to; at += FOLLOWER_BATCH) {
        channel.notify(link.auditNew, {
          records: audit.read({ from: at, limit: Math.min(FOLLOWER_BATCH, to - at) }),
        });
      }
    });
    channel.onClosed(stop);
    return null;
  });
  channel.handle(link.sessionsList, () => parts.link.call(link.gatewaySessions, null));
  channel.handle(link.sessionsEnd, async ({ session, reason, by }) => {
    await audit.append(
      [
        {
          time: clock.now(),
          kind: "admin",
          id: randomUUID(),
          session,
          reason: `${by} ends the session: ${reason}`,
        },
      ],
      "now",
    );
    return parts.link.call(link.gatewayEnd, { session, reason: `${by} ended it: ${reason}` });
  });
  const { trust } = parts;
  channel.handle(link.locksAdd, (wish) => trust.locks.add(wish, site.snapshot));
  channel.handle(link.locksRemove, ({ which, reason, by }) => trust.locks.remove(which, reason, by));
  channel.handle(link.locksList, () => trust.locks.list());
  channel.handle(link.discoverStations, async ({ ask }) => ({
    stations: await parts.netd.call(link.netdNeighbours, { ask }),
    network: await ownNetwork(parts.netd),
  }));
  channel.handle(link.discoverIdentify, async ({ address, mac, by }) => {
    const reason = `${by} asks the station at ${address} on the device port (${mac}) what it is`;
    await audit.append([{ time: clock.now(), kind: "admin", id: randomUUID(), reason }], "now");
    const ports = [...link.IDENTIFY_PORTS];
    await parts.netd.call(link.netdReach, { address, mac, ports, milliseconds: link.IDENTIFY_MILLISECONDS });
    return parts.link.call(link.gatewayIdentify, { address });
  });
  channel.handle(link.flowsList, async () => {
    const netd = parts.netd.state === "attached" ? await parts.netd.call(link.netdFlows, null) : NO_FLOWS;
    const sessions = parts.link.attached ? await parts.link.call(link.gatewaySessions, null) : [];
    return { passing: netd, sessions, unauthenticated: stillOpen(site.snapshot, clock.now()).length };
  });
  channel.handle(link.statusShow, async () => ({
    origin,
    version: NIAC_VERSION,
    gateway: parts.link.attached ? ("attached" as const) : ("away" as const),
    ownCertificate: parts.ownCertificate(),
    site: store.current()?.version ?? null,
    records: audit.size,
    audit: audit.state,
    cable: parts.netd.state,
    network: parts.netd.state === "attached" ? await parts.netd.call(link.netdStatus, null) : null,
    unauthenticated: stillOpen(site.snapshot, clock.now()).map(({ name, owner, until }) => ({
      name,
      owner,
      until,
    })),
    locks: trust.locks.all.length,
    clockBehind: trust.clockBehind,
    box: parts.box(),
    machines: parts.link.attached ? await parts.link.call(link.gatewayMachines, null) : [],
  }));
}

/** Of the device port where that has an address, else of the uplink, whose network the machines are in. */
async function ownNetwork(netd: NetdLink): Promise<string | null> {
  const { ports } = await netd.call(link.netdStatus, null);
  const of = (role: string): string | null => ports.find((port) => port.role === role)?.address ?? null;
  return of("device") ?? of("uplink");
}

function relatives(audit: AuditLog, record: AuditRecord): AuditRecord[] {
  const parent = record.ref === undefined ? undefined : audit.byId(record.ref);
  const found = [...(parent ? [parent] : []), ...audit.related(record.id)];
  return found.filter(({ index }) => index !== record.index);
}
