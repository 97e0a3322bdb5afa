import test from "ava";
import { UnavailableError, UsageError } from "../../../src/base/index.ts";
import { ClaimBed } from "./claim-bed.ts";

/** A code of the right form that is not the box's. */
function other(code: string): string {
  return (code.startsWith("0") ? "1" : "0") + code.slice(1);
}

test("what is shown is what the label needs, and that it was shown is on record, without the code", async (t) => {
  const bed = ClaimBed.open(t);
  const shown = await bed.desk.show("alice");
  const { code, made } = await bed.identity.code();
  const { fingerprint, words } = await bed.identity.open();
  t.deepEqual(shown, { origin: "box", fingerprint, words, claimCode: code, made });
  const records = bed.records();
  t.deepEqual(
    records.map(({ detail }) => detail?.["action"]),
    ["identity", "claim-shown"],
  );
  t.is(records[1]?.reason, "alice has the claim code shown");
  t.false(JSON.stringify(records).includes(code));
});

test("the right code is right however it is typed, and others are wrong; both are on record", async (t) => {
  const bed = ClaimBed.open(t);
  const { code } = await bed.identity.code();
  t.true(await bed.desk.verify(code, "bob"));
  t.true(await bed.desk.verify(code.toLowerCase().replaceAll("-", " "), "bob"));
  t.false(await bed.desk.verify(other(code), "bob"));
  const verified = bed.records().filter(({ detail }) => detail?.["action"] === "claim-verified");
  t.deepEqual(
    verified.map(({ reason, detail }) => [reason, detail?.["right"]]),
    [
      ["bob showed the claim code", true],
      ["bob showed the claim code", true],
      ["bob tried a claim code that is not this box's", false],
    ],
  );
  t.false(JSON.stringify(bed.records()).includes(other(code)), "a wrong one may be nearly right");
});

test("what is no code is refused by its form, and not counted", async (t) => {
  const bed = ClaimBed.open(t);
  for (let n = 0; n < 10; n++)
    await t.throwsAsync(() => bed.desk.verify("7K3M-Q2ZX", "bob"), { instanceOf: UsageError });
  t.true(await bed.desk.verify((await bed.identity.code()).code, "bob"));
});

test("five wrong codes are looked at in ten minutes, and then none, the right one neither", async (t) => {
  const bed = ClaimBed.open(t);
  const { code } = await bed.identity.code();
  const tried = await Promise.allSettled(
    Array.from({ length: 8 }, () => bed.desk.verify(other(code), "bob")),
  );
  t.is(tried.filter(({ status }) => status === "fulfilled").length, 5, "of many at once no more than that");
  await t.throwsAsync(() => bed.desk.verify(code, "bob"), {
    instanceOf: UnavailableError,
    message: /5 wrong claim codes were tried within 10 minutes/,
  });
  bed.clock.time += 10 * 60_000;
  t.true(await bed.desk.verify(code, "bob"));
  for (let n = 0; n < 20; n++) t.true(await bed.desk.verify(code, "bob"), "right ones are not counted");
});

test("a new code takes the place of the old one, together with its record", async (t) => {
  const bed = ClaimBed.open(t);
  const before = await bed.desk.show("alice");
  const renewed = await bed.desk.renew("alice");
  t.not(renewed.claimCode, before.claimCode);
  t.is(renewed.fingerprint, before.fingerprint, "the identity is for life");
  t.is((await bed.desk.show("alice")).claimCode, renewed.claimCode);
  t.false(await bed.desk.verify(before.claimCode, "bob"));
  t.true(bed.records().some(({ detail }) => detail?.["action"] === "claim-renewed"));
});

test("a new code that cannot be put on record is none: the old one stays good", async (t) => {
  const bed = ClaimBed.open(t);
  const { claimCode } = await bed.desk.show("alice");
  await bed.audit.close();
  await t.throwsAsync(() => bed.desk.renew("alice"));
  t.is((await bed.identity.code()).code, claimCode);
});
