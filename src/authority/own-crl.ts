/**
 * The authorities' own revocation lists, for whoever checks elsewhere: on this appliance a revocation counts the moment it is in the
 * database, whatever the lists say. A list is made anew with each revocation and at half of its life.
 */
import type { KeyObject } from "node:crypto";
import { messageOf } from "../base/index.ts";
import { keyIdOf, makeCrl, readCertificate, type RevokedSerial } from "../x509/index.ts";
import type { AuthorityParts } from "./issue.ts";
import type { Authority, AuthorityStore, StoredList } from "./store.ts";

const DAY = 86_400_000;
const LIFE = 7 * DAY;
/** Of roots: their key is opened as seldom as can be. */
const ROOT_LIFE = 90 * DAY;
/** Whoever's clock is a little behind takes a new list at once. */
const BACKDATED = 300_000;

/** Makes every list that is due. What stood in the way, for the reader; null: nothing did. */
export async function renewLists({ store, keys, clock }: AuthorityParts): Promise<string | null> {
  let problem: string | null = null;
  for (const authority of store.authorities) {
    const now = clock.now();
    if (!store.stands(authority) || !listDue(store, authority, now)) continue;
    try {
      const key = await keys.of(authority);
      store.putList(authority.id, makeList(store, authority, key, now));
    } catch (error) {
      problem = `the revocation list of "${authority.name}" could not be made: ${messageOf(error)}`;
    }
  }
  return problem;
}

/** Whether the list of an authority that still signs is to be made now. */
export function listDue(store: AuthorityStore, authority: Authority, now: number): boolean {
  const held = store.list(authority.id);
  if (held === null || held.revocations !== revocationsOf(store, authority)) return true;
  return now >= (held.thisUpdate + held.nextUpdate) / 2;
}

/** Signs it, and stores nothing. */
export function makeList(
  store: AuthorityStore,
  authority: Authority,
  key: KeyObject,
  now: number,
): StoredList {
  const { subjectDer, publicKeyInfo, notAfter } = readCertificate(authority.certificate);
  const entries = entriesOf(store, authority, now);
  const life = authority.role === "root" ? ROOT_LIFE : LIFE;
  // Also seconds since the epoch, so that a restored backup goes on above the lists that came after it.
  const number = Math.max((store.list(authority.id)?.number ?? 0) + 1, Math.floor(now / 1000));
  const thisUpdate = now - BACKDATED;
  const nextUpdate = Math.max(now, Math.min(now + life, notAfter));
  const der = makeCrl(
    {
      issuer: subjectDer,
      thisUpdate,
      nextUpdate,
      number: BigInt(number),
      entries,
      authorityKeyId: keyIdOf(publicKeyInfo),
    },
    key,
  );
  const revocations = revocationsOf(store, authority);
  return { number, der, thisUpdate, nextUpdate, entries: entries.length, revocations };
}

function entriesOf(store: AuthorityStore, authority: Authority, now: number): RevokedSerial[] {
  const certificates = store.revoked(authority.id, now).map(({ serial, revokedAt }) => ({
    serialNumber: serial,
    revokedAt,
    reason: "unspecified" as const,
  }));
  const authorities = endedBelow(store, authority)
    .filter(({ notAfter }) => notAfter >= now)
    .map(({ serial, revokedAt, state }) => ({
      serialNumber: serial,
      revokedAt: revokedAt ?? now,
      reason: state === "retired" ? ("superseded" as const) : ("unspecified" as const),
    }));
  return [...certificates, ...authorities];
}

function revocationsOf(store: AuthorityStore, authority: Authority): number {
  return store.revocations(authority.id) + endedBelow(store, authority).length;
}

/** Authorities directly below it that were ended before their time. */
function endedBelow(store: AuthorityStore, { id }: Authority): Authority[] {
  return store.authorities.filter(({ parent, revokedAt }) => parent === id && revokedAt !== null);
}
