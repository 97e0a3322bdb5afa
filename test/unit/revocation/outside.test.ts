import test from "ava";
import { toPem } from "../../../src/x509/index.ts";
import { DAY, entry, HOUR, NOW, OutsideBed, TestCa } from "./outside-bed.ts";

const ALICE = "0a11ce";
const BOB = "0b0b";
const MINUTE = 60_000;

test("without a list nobody is let in; with one, who is not on it", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("Service Partner CA");
  bed.outside.apply([ca.config()]);
  t.is(await bed.verdict(ca, ALICE), "revocation-unknown");
  await bed.outside.importCrl(ca.crl({ revoked: [BOB] }), "alice");
  t.is(await bed.verdict(ca, ALICE), "good");
  t.is(await bed.verdict(ca, BOB), "revoked");
  t.deepEqual((await bed.outside.check({ authority: ca.name, serialNumber: BOB }, []))?.refusal, {
    code: "revoked",
    reason:
      "the certificate 0b0b was revoked on 2026-05-27 20:26 UTC (keyCompromise), says the list of Service Partner CA",
    advice: "Ask the plant admin why, and enrol again.",
  });
  t.true(
    (await bed.reasons()).includes(
      "a new revocation list of Service Partner CA in force until 2026-05-29 20:26 UTC",
    ),
  );
});

test("an authority that is none of these is somebody else's", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  t.is(await bed.verdict(ca, ALICE), null);
  t.is(await bed.outside.check({ authority: null, serialNumber: ALICE }, []), null);
});

test("a list that has run out refuses, by the later of the clock and the latest time known", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(ca.crl({ revoked: [BOB] }), "alice");
  bed.clock.time = NOW + DAY;
  t.is(await bed.verdict(ca, ALICE), "good");
  bed.clock.time = NOW + DAY + 1;
  t.is(await bed.verdict(ca, ALICE), "revocation-unknown");
  bed.clock.time = NOW;
  t.is(await bed.verdict(ca, ALICE), "good");
  bed.floor = NOW + 2 * DAY;
  t.is(await bed.verdict(ca, ALICE), "revocation-unknown");
  t.is(await bed.verdict(ca, BOB), "revoked", "who is listed is refused as revoked all the same");
});

test("one that has run out already, but is newer than the one held, revokes and lets nobody in", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(ca.crl({ number: 1n }), "alice");
  const late = ca.crl({ number: 2n, thisUpdate: NOW - HOUR / 2, nextUpdate: NOW - 1, revoked: [BOB] });
  await bed.outside.importCrl(late, "alice");
  t.is(await bed.verdict(ca, BOB), "revoked");
  t.is(await bed.verdict(ca, ALICE), "revocation-unknown");
});

test("a grace lets its groups in for its time after the list ran out, says so, and lets in nobody who is revoked", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  const grace = {
    name: "night shift",
    reason: "the link is down at night",
    groups: ["maintenance"],
    milliseconds: 2 * HOUR,
  };
  bed.outside.apply([ca.config({ grace })]);
  t.is(await bed.verdict(ca, ALICE, ["maintenance"]), "revocation-unknown", "it never was known");
  await bed.outside.importCrl(ca.crl({ revoked: [BOB] }), "alice");
  bed.clock.time = NOW + DAY + 1;
  t.is(
    await bed.verdict(ca, ALICE, ["maintenance"]),
    'let in by the grace "night shift" (the link is down at night) until 2026-05-29 22:26 UTC: the revocation list of A CA ran out on 2026-05-29 20:26 UTC',
  );
  t.is(await bed.verdict(ca, ALICE, ["operators"]), "revocation-unknown");
  t.is(await bed.verdict(ca, ALICE), "revocation-unknown");
  t.is(await bed.verdict(ca, BOB, ["maintenance"]), "revoked");
  t.regex(
    bed.outside.views()[0]?.grace ?? "",
    /^"night shift" lets maintenance in until 2026-05-29 22:26 UTC/,
  );
  const told = (await bed.reasons()).filter((reason) => reason.includes("let in although"));
  t.is(told.length, 1, "on record once, however many come");
  bed.clock.time = NOW + DAY + 2 * HOUR;
  t.is(await bed.verdict(ca, ALICE, ["maintenance"]), "revocation-unknown");
  t.is(bed.outside.views()[0]?.grace, null);
});

test("a revocation dated ahead counts from its date", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(ca.crl({ revoked: [entry(BOB, NOW + HOUR)] }), "alice");
  bed.clock.time = NOW + HOUR - 1;
  t.is(await bed.verdict(ca, BOB), "good");
  bed.clock.time = NOW + HOUR;
  t.is(await bed.verdict(ca, BOB), "revoked");
});

test("an older list is refused, by number and by date, also after a restart; the one held stays", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(ca.crl({ number: 7n, revoked: [BOB] }), "alice");
  const before = ca.crl({ number: 6n });
  const earlier = ca.crl({ number: 8n, thisUpdate: NOW - 2 * HOUR });
  await t.throwsAsync(bed.outside.importCrl(before, "alice"), {
    code: "crl-older",
    message: /number 6.*number 7 is held/,
  });
  await t.throwsAsync(bed.outside.importCrl(earlier, "alice"), {
    code: "crl-older",
    message: /before the one held/,
  });
  t.true(
    (await bed.reasons()).some((reason) =>
      /^alice brought a revocation list that is not taken: .*number 6/.test(reason),
    ),
  );
  const restarted = bed.again(t);
  restarted.outside.apply([ca.config()]);
  t.is(await restarted.verdict(ca, BOB), "revoked");
  await t.throwsAsync(restarted.outside.importCrl(before, "alice"), { code: "crl-older" });
  t.is(await restarted.verdict(ca, BOB), "revoked");
});

test("the same list again changes nothing; another with its number is refused and on record", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  const list = ca.crl({ number: 7n, revoked: [BOB] });
  t.false((await bed.outside.importCrl(list, "alice")).same);
  const { changes } = bed;
  t.true((await bed.outside.importCrl(list, "alice")).same);
  t.is(bed.changes, changes);
  await t.throwsAsync(bed.outside.importCrl(ca.crl({ number: 7n }), "alice"), { code: "crl-same-number" });
  t.is(await bed.verdict(ca, BOB), "revoked");
  t.true((await bed.reasons()).some((reason) => reason.includes("signed two different lists with number 7")));
});

test("who is on a new list no longer is let in again", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(ca.crl({ revoked: [entry(BOB, NOW - DAY, "certificateHold")] }), "alice");
  await bed.outside.importCrl(ca.crl({ number: 2n, revoked: [ALICE] }), "alice");
  t.is(await bed.verdict(ca, BOB), "good");
  t.is(await bed.verdict(ca, ALICE), "revoked");
});

test("a list of another authority of the same name is refused, and so is one by a key that may not sign lists", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  const other = await TestCa.make("A CA");
  const mute = await TestCa.make("Mute CA", null, ["keyCertSign"]);
  bed.outside.apply([ca.config(), mute.config()]);
  await t.throwsAsync(bed.outside.importCrl(other.crl(), "alice"), { code: "crl-signature" });
  await t.throwsAsync(bed.outside.importCrl(mute.crl(), "alice"), { code: "crl-signature" });
  const stranger = await TestCa.make("Stranger CA");
  await t.throwsAsync(bed.outside.importCrl(stranger.crl(), "alice"), {
    code: "crl-issuer",
    message: /CN=Stranger CA, not of A CA or Mute CA/,
  });
  t.is(await bed.verdict(ca, ALICE), "revocation-unknown");
});

test("a list of the future is refused beyond five minutes", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await t.throwsAsync(bed.outside.importCrl(ca.crl({ thisUpdate: NOW + 6 * MINUTE }), "alice"), {
    code: "crl-future",
  });
  await bed.outside.importCrl(ca.crl({ thisUpdate: NOW + 5 * MINUTE }), "alice");
  t.is(await bed.verdict(ca, ALICE), "good");
});

test("every byte of a list changed, and every end cut off, is refused, and the list held stays", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(ca.crl({ number: 1n, revoked: [BOB] }), "alice");
  const list = ca.crl({ number: 2n });
  // A thread for each: a few places of each kind (header, name, dates, number, signature) and not all of them.
  for (let at = 0; at < list.length; at += 31) {
    const changed = Buffer.from(list);
    changed[at]! ^= 0x01;
    await t.throwsAsync(bed.outside.importCrl(changed, "alice"), { name: "PeerError" }, `byte ${at}`);
  }
  await t.throwsAsync(bed.outside.importCrl(list.subarray(0, -1), "alice"), { code: "crl-malformed" });
  await t.throwsAsync(bed.outside.importCrl(Buffer.concat([list, Buffer.of(0)]), "alice"), {
    code: "crl-malformed",
  });
  await t.throwsAsync(bed.outside.importCrl(Buffer.alloc(0), "alice"), { code: "crl-malformed" });
  t.is(await bed.verdict(ca, BOB), "revoked");
});

test("a list in PEM is one in DER", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(Buffer.from(toPem(ca.crl({ revoked: [BOB] }), "X509 CRL")), "alice");
  t.is(await bed.verdict(ca, BOB), "revoked");
});

test("a delta counts on exactly its base, revokes and takes off, until the next complete list", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  const delta = (number: bigint, base: bigint, revoked: Parameters<TestCa["crl"]>[0] = {}): Buffer =>
    ca.crl({ number, delta: base, nextUpdate: NOW + 2 * DAY, ...revoked });
  const removed = entry(BOB, NOW - DAY, "removeFromCRL");
  await t.throwsAsync(bed.outside.importCrl(delta(3n, 2n), "alice"), {
    code: "crl-delta-base",
    message: /none is held/,
  });
  await bed.outside.importCrl(
    ca.crl({ number: 2n, revoked: [entry(BOB, NOW - DAY, "certificateHold")] }),
    "alice",
  );
  await t.throwsAsync(bed.outside.importCrl(delta(3n, 1n), "alice"), {
    code: "crl-delta-base",
    message: /number 2 is held/,
  });
  await bed.outside.importCrl(delta(3n, 2n, { revoked: [removed, ALICE] }), "alice");
  t.is(await bed.verdict(ca, BOB), "good");
  t.is(await bed.verdict(ca, ALICE), "revoked");
  bed.clock.time = NOW + DAY + HOUR;
  t.is(await bed.verdict(ca, BOB), "good", "it is good for as long as the delta says");
  bed.clock.time = NOW;
  await t.throwsAsync(bed.outside.importCrl(delta(3n, 2n), "alice"), { code: "crl-same-number" });
  await bed.outside.importCrl(delta(4n, 2n), "alice");
  t.is(await bed.verdict(ca, BOB), "revoked", "the second delta to a base stands for the first");
  await t.throwsAsync(bed.outside.importCrl(ca.crl({ number: 3n }), "alice"), { code: "crl-older" });
  await bed.outside.importCrl(ca.crl({ number: 4n, revoked: [ALICE] }), "alice");
  t.is(await bed.verdict(ca, BOB), "good");
  t.is(await bed.verdict(ca, ALICE), "revoked");
  await t.throwsAsync(bed.outside.importCrl(delta(5n, 2n), "alice"), { code: "crl-delta-base" });
});

test("the root's list is not asked for, and revokes all an authority issued once it names that", async (t) => {
  const bed = OutsideBed.open(t);
  const root = await TestCa.make("Partner Root");
  const ca = await TestCa.make("Partner Issuing", root);
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(ca.crl({ nextUpdate: NOW + 9 * DAY }), "alice");
  t.is(await bed.verdict(ca, ALICE), "good");
  const { list } = await bed.outside.importCrl(root.crl({ number: 1n }), "alice");
  t.is(list.of, "CN=Partner Root");
  t.is(await bed.verdict(ca, ALICE), "good");
  bed.clock.time = NOW + DAY + 1;
  t.is(await bed.verdict(ca, ALICE), "revocation-unknown", "brought once, it is needed");
  bed.clock.time = NOW;
  await bed.outside.importCrl(root.crl({ number: 2n, revoked: [ca.serialNumber] }), "alice");
  t.is(await bed.verdict(ca, ALICE), "revoked");
  t.regex(
    (await bed.outside.check({ authority: ca.name, serialNumber: ALICE }, []))?.refusal?.reason ?? "",
    /the list of CN=Partner Root/,
  );
});

test("unchecked is on record and in view as what it is, once, and still knows what it was told", async (t) => {
  const bed = OutsideBed.open(t);
  const root = await TestCa.make("Partner Root");
  const ca = await TestCa.make("Partner Issuing", root);
  const config = ca.config({ revocation: "unchecked" });
  bed.outside.apply([config]);
  bed.outside.apply([{ ...config }]);
  t.is(await bed.verdict(ca, ALICE), "good");
  const told = (await bed.reasons()).filter((reason) => reason.includes("not checked for revocation"));
  t.deepEqual(told, [
    "certificates of Partner Issuing are not checked for revocation, as the site document says",
  ]);
  t.regex(bed.outside.views()[0]?.weakening ?? "", /not checked for revocation/);
  await bed.outside.importCrl(root.crl({ nextUpdate: NOW + 1 }), "alice");
  bed.clock.time = NOW + DAY;
  t.is(await bed.verdict(ca, ALICE), "good");
  await bed.outside.importCrl(root.crl({ number: 2n, revoked: [ca.serialNumber] }), "alice");
  t.is(await bed.verdict(ca, ALICE), "revoked");
});

test("an authority whose certificate cannot be read lets nobody in, and says so", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([
    ca.config({ certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" }),
  ]);
  t.is(await bed.verdict(ca, ALICE), "revocation-unknown");
  t.regex(
    bed.outside.views()[0]?.trouble ?? "",
    /its certificate cannot be read, and nobody is let in by it/,
  );
});

test("an authority taken off the document is nobody's any more; put on again, its list is the one from before", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  await bed.outside.importCrl(ca.crl({ number: 7n, revoked: [BOB] }), "alice");
  bed.outside.apply([]);
  t.is(await bed.verdict(ca, BOB), null);
  await t.throwsAsync(bed.outside.importCrl(ca.crl({ number: 8n }), "alice"), { code: "no-authority" });
  bed.outside.apply([ca.config()]);
  t.is(await bed.verdict(ca, BOB), "revoked");
  await t.throwsAsync(bed.outside.importCrl(ca.crl({ number: 6n }), "alice"), { code: "crl-older" });
});

test("views say what is held, and what somebody should see to", async (t) => {
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  t.is(bed.outside.views()[0]?.trouble, "no revocation list of A CA is held");
  await bed.outside.importCrl(ca.crl({ number: 7n, nextUpdate: NOW + 4 * HOUR, revoked: [BOB] }), "alice");
  t.deepEqual(bed.outside.views(), [
    {
      name: "A CA",
      revocation: "crl",
      lists: [
        {
          of: "A CA",
          number: "7",
          thisUpdate: NOW - HOUR,
          nextUpdate: NOW + 4 * HOUR,
          entries: 1,
          changes: 0,
          received: NOW,
          by: "alice",
        },
      ],
      fetch: null,
      responder: null,
      trouble: null,
      weakening: null,
      grace: null,
    },
  ]);
  bed.clock.time = NOW + 3 * HOUR;
  t.regex(bed.outside.views()[0]?.trouble ?? "", /runs out on/);
  bed.clock.time = NOW + 5 * HOUR;
  t.regex(bed.outside.views()[0]?.trouble ?? "", /ran out on/);
});
