import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";
import { UnavailableError } from "../../../src/base/index.ts";
import { identityDraft, originOf } from "../../../src/control/identity.ts";
import { keyWords } from "../../../src/est/index.ts";
import { ClaimBed } from "./claim-bed.ts";

test("a box has no identity before the first call, and the same one from then on, over restarts", async (t) => {
  const bed = ClaimBed.open(t);
  t.is(bed.identity.known, null);
  const [made, again] = await Promise.all([bed.identity.open(), bed.identity.open()]);
  t.deepEqual(made, again, "two that ask at once get one");
  t.deepEqual(bed.identity.known, made);
  const later = bed.again(t);
  t.deepEqual(later.identity.known, made);
  t.deepEqual(await later.identity.open(), made);
});

test("fingerprint and words are those of the key that is kept, and the box's name follows from them", async (t) => {
  const bed = ClaimBed.open(t);
  const made = await bed.identity.open();
  const row = bed.db.prepare("SELECT public FROM box_identity").get();
  const { public: key } = z.strictObject({ public: z.instanceof(Buffer) }).parse(row);
  t.is(made.fingerprint, createHash("sha256").update(key).digest("hex"));
  t.is(made.words, keyWords(key));
  t.is(originOf(made), `niac-${made.fingerprint.slice(0, 8)}`);
});

test("the claim code has 80 bits for people, and neither it nor the key is on the disk in the clear", async (t) => {
  const bed = ClaimBed.open(t);
  const { code, made } = await bed.identity.code();
  t.regex(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
  t.is(made, bed.clock.time);
  t.deepEqual(await bed.again(t).identity.code(), { code, made }, "and it stays");
  const disk = bed.onDisk();
  t.false(disk.includes(code));
  t.false(disk.includes(code.replaceAll("-", "")));
  // OID of P-256 with the head of a private key around it, as PKCS #8 has them (RFC 5958, RFC 5915).
  t.false(disk.includes(Buffer.from("06082a8648ce3d030107046d306b0201010420", "hex")));
});

test("where the keyring is gone the box is still who it is, and says no code", async (t) => {
  const bed = ClaimBed.open(t);
  const made = await bed.identity.open();
  rmSync(join(bed.dir, "keyring.json"));
  const later = bed.again(t);
  t.deepEqual(later.identity.known, made);
  // Another keyring than the one that sealed it: KeptKeyring would refuse before.
  await t.throwsAsync(() => later.identity.code(), { instanceOf: UnavailableError, message: /claim code/ });
});

test("that the identity was made is one record, however often it is handed in", async (t) => {
  const bed = ClaimBed.open(t);
  const made = await bed.identity.open();
  await bed.audit.append([identityDraft(made)], "now");
  await bed.audit.append([identityDraft(made)], "now");
  t.deepEqual(
    bed.records().map(({ kind, reason, detail }) => [kind, reason, detail]),
    [
      [
        "box",
        `the box's identity was made: ${made.words}`,
        { action: "identity", fingerprint: made.fingerprint },
      ],
    ],
  );
});
