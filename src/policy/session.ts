import { type CompiledGrant, holds, matchesFrom, matchesWho } from "./rule.ts";
import { lackingPosture, SessionState, type SessionRequest } from "./state.ts";
import { makeSessionPermit, stateOf, type SessionPermit } from "./permit.ts";
import type { Denial } from "./verdict.ts";
import type { Policy } from "./compile.ts";
import { denial, denyForbidden, denyLocked, postureWords } from "./explain.ts";
import { lockOn } from "./lock.ts";
import { parseAddress } from "./network.ts";
import { whenWords } from "./when-words.ts";
import { grantText, listText } from "./words.ts";

/**
 * May this identity open this service, of a machine or of a destination, from there at `now` (milliseconds since the epoch)? A lock
 * that covers it beats everything. An empty policy denies. A
 * TCP service is opened by a grant without a Modbus scope; a Modbus service by any grant with one, and decide() then
 * says what may be done. A forbid narrower than the service does not stop a session from opening.
 */
export function openSession(policy: Policy, request: SessionRequest, now: number): SessionPermit | Denial {
  return admit(policy, request, now, new Set());
}

/**
 * Judges a live session again, under a changed policy or because time has passed. A grant it was opened under is not
 * counted again: a lowered `connections` holds for new sessions. What the session had worked out is not carried over.
 */
export function judgeSession(policy: Policy, session: SessionPermit, now: number): SessionPermit | Denial {
  return admit(policy, stateOf(session).request, now, new Set(session.grants));
}

/** The earliest time after `now`, in milliseconds since the epoch, at which time alone may change a verdict; Infinity: never. The panel says itself when it changes. */
export function nextChange(session: SessionPermit, now: number): number {
  return stateOf(session).changes(now);
}

function admit(
  policy: Policy,
  request: SessionRequest,
  now: number,
  held: ReadonlySet<string>,
): SessionPermit | Denial {
  const { identity, machine, service } = request;
  const groups = policy.groupsOf(identity);
  const lock = lockOn(request.locks(), { identity, groups, machine, posture: request.posture }, now);
  if (lock !== null) return denyLocked(lock, request);
  const target = policy.target(machine, service);
  if (target === undefined) return denyService(policy, request);
  const source = parseAddress(request.source);
  const forbids = target.forbids.filter(
    (rule) => matchesWho(rule, identity, groups) && matchesFrom(rule, source),
  );
  const panel = request.panel();
  const barred = forbids.find((rule) => rule.rule.modbus === null && holds(rule, now, panel));
  if (barred !== undefined) {
    return denyForbidden(barred.rule, panel, `${identity.user} may not open ${machine}/${service}`);
  }
  const named = target.grants.filter((rule) => matchesWho(rule, identity, groups));
  const matched = named.filter((rule) => matchesFrom(rule, source));
  const usable = new Set<CompiledGrant>();
  const names: string[] = [];
  for (const grant of matched) {
    const { name, rate } = grant.rule;
    const limit = rate?.connections ?? null;
    const open = holds(grant, now, panel) && lackingPosture(grant, request, now) === null;
    if (limit === null) usable.add(grant);
    else if (open && (held.has(name) || request.connections(name, identity.user) < limit)) usable.add(grant);
    if (open && usable.has(grant)) names.push(name);
  }
  if (names.length === 0) {
    if (named.length === 0) return denyIdentity(request, target.grants, groups);
    return denyNearest(policy, request, named, matched, now);
  }
  return makeSessionPermit(new SessionState({ policy, request, target, matched, forbids, usable, names }));
}

function denyService(policy: Policy, { machine, service }: SessionRequest): Denial {
  const services = policy.services(machine);
  if (services.length === 0) {
    return denial("service", null, {
      reason: `there is no machine "${machine}" with services on this site`,
      advice: "Check the name, or add the machine to the site document.",
    });
  }
  return denial("service", null, {
    reason: `${machine} has no service "${service}"; it has ${listText(services)}`,
    advice: `Check the name, or add the service to ${machine} in the site document.`,
  });
}

/** No grant names who it is. Where a claim the site does not take would have, the advice says so. */
function denyIdentity(
  { identity, machine, service }: SessionRequest,
  grants: readonly CompiledGrant[],
  groups: ReadonlySet<string>,
): Denial {
  const { user, kind } = identity;
  if (kind === "source") {
    return denial("grant", null, {
      reason: `nothing lets ${user} open ${machine}/${service} without a certificate`,
      advice: `Give ${user} a certificate, or list ${machine}/${service} under unsafeUnauthenticated "${user}".`,
    });
  }
  if (kind === "machine") {
    return denial("grant", null, {
      reason: `no destination lets ${user} open ${machine}/${service}`,
      advice: `Add ${user} to the machines of destination "${machine}".`,
    });
  }
  const reason = `no grant lets ${user} open ${machine}/${service}`;
  const claimed = new Set([...groups, ...identity.groups]);
  const near = grants.find((rule) => matchesWho(rule, identity, claimed));
  if (near === undefined) {
    const role = identity.role === null ? "no role" : `role ${identity.role}`;
    const known = groups.size === 0 ? "no group" : `group ${listText([...groups])}`;
    return denial("grant", null, {
      reason: `${reason} (${known}, ${role})`,
      advice: `Add a grant for ${user}, or put ${user} into a group that has one.`,
    });
  }
  const { name, who } = near.rule;
  const group = identity.groups.find((one) => who.groups?.includes(one) === true) ?? "";
  return denial("grant", name, {
    reason: `${reason}: grant "${name}" is for group ${group}, and the site does not put ${user} there`,
    advice: `The certificate claims group ${group}, but this site does not take it from certificates: add ${group} to certificateGroups, or put ${user} into it under people.`,
  });
}

/** Grants name the identity, yet none opens: the one that failed last came nearest. */
function denyNearest(
  policy: Policy,
  request: SessionRequest,
  named: readonly CompiledGrant[],
  matched: readonly CompiledGrant[],
  now: number,
): Denial {
  const { identity, machine, service, source } = request;
  const { user } = identity;
  const timely = matched.filter((rule) => holds(rule, now, request.panel()));
  const full = timely.find((rule) => lackingPosture(rule, request, now) === null);
  const [unfit] = timely;
  if (full === undefined && unfit !== undefined) {
    const allowed = `${user} may open ${machine}/${service} under ${grantText(unfit.rule)}`;
    return denial("posture", unfit.rule.name, postureWords(unfit, request, now, allowed));
  }
  if (full !== undefined) {
    const { name, rate } = full.rule;
    const rule = grantText(full.rule);
    return denial("connections", name, {
      reason: `${user} has all sessions open to ${machine}/${service} that ${rule} gives at once: ${rate?.connections}`,
      advice: `End one of them, or raise "connections" of ${rule}.`,
    });
  }
  const closed = matched[0];
  if (closed !== undefined) {
    const allowed = `${user} may open ${machine}/${service}`;
    return denial("when", closed.rule.name, whenWords(closed, { policy, request }, now, allowed));
  }
  const elsewhere = named[0]?.rule;
  return denial("from", elsewhere?.name ?? null, {
    reason: `${user} may open ${machine}/${service} only from ${listText(elsewhere?.from ?? [])}, not from ${source}`,
    advice: `Connect from there, or add ${source} to "from" of ${elsewhere === undefined ? "a grant" : grantText(elsewhere)}.`,
  });
}
