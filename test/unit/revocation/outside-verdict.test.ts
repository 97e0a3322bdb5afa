import test from "ava";
import type { HeldList } from "../../../src/revocation/crl-store.ts";
import {
  GOOD,
  graceUntil,
  knownByList,
  together,
  verdictOf,
  type Known,
} from "../../../src/revocation/outside-verdict.ts";

const NOW = 1_780_000_000_000;
const HELD: HeldList = {
  number: 7n,
  baseNumber: 7n,
  thisUpdate: NOW - 10,
  nextUpdate: NOW + 10,
  baseHash: "",
  hash: "",
  entries: 0,
  changes: 0,
  received: NOW,
  receivedBy: "fetched",
};
const UNKNOWN: Known = { state: "unknown", why: "w", advice: "a", knownUntil: NOW };
const GRACE = { grace: { name: "g", reason: "r", groups: ["maintenance"], milliseconds: 1_000 } };

test("a list speaks until its end, that moment included", (t) => {
  t.is(knownByList(HELD, null, NOW + 10, "A CA").state, "good");
  t.is(knownByList(HELD, null, NOW + 11, "A CA").state, "unknown");
  t.is(knownByList(null, null, NOW, "A CA").state, "unknown");
});

test("an entry counts from its date, that moment included, and beyond the list's end", (t) => {
  const entry = { revokedAt: NOW, reason: 0 };
  t.is(knownByList(HELD, entry, NOW - 1, "A CA").state, "good");
  t.is(knownByList(HELD, entry, NOW, "A CA").state, "revoked");
  t.is(knownByList(HELD, entry, NOW + 99, "A CA").state, "revoked");
});

test("of several, revoked decides, then what is not known; nothing at all is good", (t) => {
  const revoked: Known = { state: "revoked", at: NOW, reason: 1, by: "b" };
  t.is(together([GOOD, UNKNOWN, revoked]), revoked);
  t.is(together([GOOD, UNKNOWN]), UNKNOWN);
  t.is(together([GOOD]), GOOD);
});

test("of two that do not know, the grace counts from the first; where one never could, there is none", (t) => {
  const earlier: Known = { ...UNKNOWN, knownUntil: NOW - 5 };
  const never: Known = { ...UNKNOWN, knownUntil: null };
  t.is(together([UNKNOWN, earlier]), earlier);
  t.is(together([earlier, never]), never);
});

test("an empty grace lets nobody in, nor does one for other groups or one that is over", (t) => {
  t.is(graceUntil({ grace: null }, ["maintenance"], NOW, NOW), null);
  t.is(graceUntil(GRACE, [], NOW, NOW), null);
  t.is(graceUntil(GRACE, ["operators"], NOW, NOW), null);
  t.is(graceUntil(GRACE, ["maintenance"], null, NOW), null);
  t.is(graceUntil(GRACE, ["operators", "maintenance"], NOW, NOW + 999), NOW + 1_000);
  t.is(graceUntil(GRACE, ["maintenance"], NOW, NOW + 1_000), null);
});

test("no grace is for what was revoked", (t) => {
  const revoked: Known = { state: "revoked", at: NOW, reason: 0, by: "the list of A CA" };
  t.deepEqual(verdictOf(revoked, "0b0b", GRACE, ["maintenance"], NOW), {
    refusal: {
      code: "revoked",
      reason: "the certificate 0b0b was revoked on 2026-05-28 20:26 UTC, says the list of A CA",
      advice: "Ask the plant admin why, and enrol again.",
    },
    grace: null,
  });
});
