import type { AuditLog, RecordDraft } from "../audit/index.ts";

/**
 * The honest end of what a gateway left open. `alive` are the sessions and writes the attached gateway says it still has; all
 * else that the log shows as begun and not ended is over, and what became of a write nobody answered for is not known.
 */
export function endingsOf(
  audit: AuditLog,
  alive: { readonly sessions: readonly string[]; readonly writes: readonly string[] },
  now: number,
): RecordDraft[] {
  const sessions = new Set(alive.sessions);
  const writes = new Set(alive.writes);
  const drafts: RecordDraft[] = [];
  for (const record of audit.openWrites()) {
    if (writes.has(record.id)) continue;
    drafts.push({
      ...about(record),
      time: now,
      kind: "outcome",
      id: `lost-${record.id}`,
      ref: record.id,
      outcome: "unknown",
      reason: "the gateway was lost before it said what became of this write",
    });
  }
  for (const { session, start } of audit.openSessions()) {
    if (sessions.has(session)) continue;
    drafts.push({
      ...about(start),
      time: now,
      kind: "session.end",
      id: `lost-${session}`,
      reason: "the gateway was lost, and the session with it; when exactly is not known",
    });
  }
  return drafts;
}

function about(
  record: RecordDraft,
): Pick<RecordDraft, "session" | "identity" | "source" | "machine" | "service"> {
  const { session, identity, source, machine, service } = record;
  return {
    ...(session === undefined ? {} : { session }),
    ...(identity === undefined ? {} : { identity }),
    ...(source === undefined ? {} : { source }),
    ...(machine === undefined ? {} : { machine }),
    ...(service === undefined ? {} : { service }),
  };
}
