import { randomUUID } from "node:crypto";
import { parseFilter, type AuditLog, type AuditRecord } from "../audit/index.ts";
import { NIAC_VERSION, UsageError, type Channel, type Clock } from "../base/index.ts";
import * as link from "../link/index.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { Site } from "./site.ts";
import type { SiteStore } from "./site-store.ts";

export interface AdminParts {
  readonly audit: AuditLog;
  readonly site: Site;
  readonly store: SiteStore;
  readonly link: GatewayLink;
  readonly origin: string;
  readonly clock: Clock;
}

/** Answers one command's channel. Whoever may open the socket is an administrator: the file's owner and root. */
export function serveAdmin(channel: Channel, parts: AdminParts): void {
  const { audit, site, store, origin, clock } = parts;
  channel.handle(link.siteApply, ({ text, fileName, by, note }) => site.apply(text, fileName, by, note));
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
      channel.notify(link.auditNew, { records: audit.read({ from, limit: to - from }) });
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
  channel.handle(link.statusShow, async () => ({
    origin,
    version: NIAC_VERSION,
    gateway: parts.link.attached ? ("attached" as const) : ("away" as const),
    site: store.current()?.version ?? null,
    records: audit.size,
    audit: audit.state,
    machines: parts.link.attached ? await parts.link.call(link.gatewayMachines, null) : [],
  }));
}

function relatives(audit: AuditLog, record: AuditRecord): AuditRecord[] {
  const parent = record.ref === undefined ? undefined : audit.byId(record.ref);
  const found = [...(parent ? [parent] : []), ...audit.related(record.id)];
  return found.filter(({ index }) => index !== record.index);
}
