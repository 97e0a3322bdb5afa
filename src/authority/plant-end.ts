/** The end of certificates and of authorities: revoked, retired, or past their time. It is on record, and counts, in one transaction. */
import { randomUUID } from "node:crypto";
import type { RecordDraft } from "../audit/index.ts";
import { printable, UsageError } from "../base/index.ts";
import type { RevokeBy, RotationScope } from "../link/index.ts";
import type { Revocation } from "./contract.ts";
import { identityOf, type AuthorityParts } from "./issue.ts";
import { inScope } from "./plant-scope.ts";
import type { Authority, AuthorityStore, Search, StoredCertificate } from "./store.ts";

/** Certificates that end in one transaction; more take several. */
const BATCH = 500;

export type RevokeWhat = Exclude<RevokeBy, "authority">;

/**
 * Revokes all that are good now. Throws a UsageError where there is none. Whoever is issued one while this runs has it revoked as well, or
 * does not get it.
 */
export async function revokeCertificates(
  { store, audit, clock }: AuthorityParts,
  what: RevokeWhat,
  value: string,
  reason: string,
  by: string,
  told: (revoked: readonly StoredCertificate[]) => unknown,
): Promise<StoredCertificate[]> {
  const search: Search = { [what]: what === "user" || what === "device" ? value : value.toLowerCase() };
  const revoked: StoredCertificate[] = [];
  for (;;) {
    const now = clock.now();
    const batch = store.live(search, now, BATCH);
    if (batch.length === 0) break;
    const records = batch.map((certificate) => revocationOf(certificate, now, reason, by));
    try {
      await audit.append(records, "now", () => {
        if (batch.some(({ serial }) => !store.revoke(serial, now, by, reason))) throw new Stale();
      });
    } catch (error) {
      if (error instanceof Stale) continue;
      throw error;
    }
    revoked.push(...batch);
    told(batch);
  }
  if (revoked.length > 0) return revoked;
  throw new UsageError(
    "nothing-to-revoke",
    `there is no certificate in force with the ${what} ${printable(value)}`,
    "See niac authority show certificates --all.",
  );
}

/** Somebody else revoked one of them between the look and the transaction: looked at again. */
class Stale extends Error {}

/** An authority and all it issued. Its key goes. `what`: its number or name. */
export async function revokeAuthority(
  { store, audit, clock, keys }: AuthorityParts,
  what: string,
  reason: string,
  by: string,
): Promise<StoredCertificate[]> {
  const authority = authorityNamed(store, what);
  const { name, role, id } = authority;
  if (role === "root") {
    throw new UsageError(
      "root",
      `"${name}" is a root, which nobody above it could revoke`,
      "Make another and end this one: niac authority rotate --root, then niac authority rotate --root --retire.",
    );
  }
  if (!store.stands(authority)) {
    throw new UsageError(
      "authority-ended",
      `the authority "${name}" was ended before`,
      "See niac authority show.",
    );
  }
  const now = clock.now();
  const cut = store.live({ authority: id }, now, Number.MAX_SAFE_INTEGER);
  await audit.append([endOf(authority, "revoked", now, cut.length, reason, by)], "now", () => {
    store.endAuthority(id, "revoked", now, reason);
  });
  keys.forget(id);
  store.reload();
  return cut;
}

/** Ends those that were followed by others, and what they issued with them. */
export async function retire(
  { store, audit, clock, keys }: AuthorityParts,
  scope: RotationScope,
  by: string,
): Promise<{ readonly retired: readonly Authority[]; readonly cut: readonly StoredCertificate[] }> {
  const now = clock.now();
  const named = store.authorities.filter((each) => each.state === "retiring" && inScope(each, scope));
  const roots = named.filter(({ role }) => role === "root");
  const below = store.authorities.filter(
    (each) => store.stands(each) && roots.some(({ id }) => id === each.parent),
  );
  const retired = [...new Set([...named, ...below])];
  if (retired.length === 0) {
    throw new UsageError(
      "nothing-to-retire",
      "no authority of those waits for its end",
      "niac authority rotate makes new ones; the old can be retired then. See niac authority show.",
    );
  }
  const reason = "retired by an administrator";
  const cut = retired.map((each) => store.live({ authority: each.id }, now, Number.MAX_SAFE_INTEGER));
  await audit.append(
    retired.map((each, at) => endOf(each, "retired", now, cut[at]?.length ?? 0, reason, by)),
    "now",
    () => {
      for (const each of retired) store.endAuthority(each.id, "retired", now, reason);
    },
  );
  for (const { id } of retired) keys.forget(id);
  store.reload();
  return { retired, cut: cut.flat() };
}

/** Those whose last certificate is past: their keys go. `inUse`: the infrastructure that still signs. Returns whether anything changed. */
export async function retirePast(
  { store, audit, clock, keys }: AuthorityParts,
  inUse: number | null,
): Promise<boolean> {
  const now = clock.now();
  const standing = store.authorities.filter((each) => store.stands(each));
  const past = standing.filter(
    ({ id, role, state }) =>
      state === "retiring" &&
      id !== inUse &&
      (role === "root" ? !standing.some(({ parent }) => parent === id) : store.countLive(id, now) === 0),
  );
  if (past.length === 0) return false;
  const reason = "nothing it issued is in force any more";
  await audit.append(
    past.map((each) => endOf(each, "retired", now, 0, reason, "niac")),
    "now",
    () => {
      for (const each of past) store.endAuthority(each.id, "retired", null, reason);
    },
  );
  for (const { id } of past) keys.forget(id);
  store.reload();
  return true;
}

/** Throws a UsageError where there is none. `what`: number, name or fingerprint. */
export function authorityNamed(store: AuthorityStore, what: string): Authority {
  const found = store.authorities.find(
    ({ id, name, fingerprint }) => String(id) === what || name === what || fingerprint === what.toLowerCase(),
  );
  if (found !== undefined) return found;
  throw new UsageError(
    "no-such-authority",
    `there is no authority "${printable(what)}"`,
    "See niac authority show.",
  );
}

export function revocationOfCertificate(
  { serial, fingerprint }: StoredCertificate,
  reason: string,
): Revocation {
  return { fingerprint, serialNumber: serial, reason };
}

function revocationOf(certificate: StoredCertificate, now: number, reason: string, by: string): RecordDraft {
  return {
    time: now,
    kind: "trust",
    id: `revoke-${randomUUID()}`,
    ref: `issue-${certificate.serial}`,
    identity: identityOf(certificate),
    reason: `certificate revoked by ${by}: ${reason}`,
  };
}

function endOf(
  { name, fingerprint }: Authority,
  how: "revoked" | "retired",
  now: number,
  cut: number,
  reason: string,
  by: string,
): RecordDraft {
  return {
    time: now,
    kind: "trust",
    id: `authority-end-${fingerprint}`,
    ref: `authority-${fingerprint}`,
    reason: `authority "${name}" ${how} by ${by}: ${reason}`,
    counts: { certificates: cut },
    detail: { fingerprint },
  };
}
