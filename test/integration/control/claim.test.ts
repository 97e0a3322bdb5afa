import test from "ava";
import { z } from "zod";
import { parseClaim } from "../../../scripts/hw.d/label.ts";
import { Appliance } from "../../support/appliance.ts";

const label = z.strictObject({
  origin: z.string().regex(/^niac-[0-9a-f]{8}$/),
  claimCode: z.string().regex(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  words: z.string().regex(/^[a-z]{5}(-[a-z]{5}){4}$/),
});

test("a box that nobody named is called after its identity, says its claim code to who asks at it, and stays who it is", async (t) => {
  const bed = await Appliance.start(t, { site: null, parts: [] });
  bed.environment["NIAC_ORIGIN"] = "auto";
  await bed.run("control");
  const shown = label.parse(JSON.parse((await bed.niac("claim", "show", "--json")).out));
  t.is(shown.origin, `niac-${shown.fingerprint.slice(0, 8)}`);
  t.deepEqual(parseClaim(JSON.stringify(shown)), shown, "a label can be made of it");
  t.regex((await bed.niac("status")).out, new RegExp(`^appliance {2}${shown.origin} `, "m"));
  const [first] = await bed.records("kind=box");
  t.deepEqual([first?.origin, first?.detail?.["fingerprint"]], [shown.origin, shown.fingerprint]);

  const { out } = await bed.niac("claim", "show");
  t.regex(out, new RegExp(`identity {5}${shown.words}\nfingerprint {2}${shown.fingerprint}\n`));
  t.regex(out, new RegExp(`claim code {3}${shown.claimCode}`));
  const right = await bed.niac("claim", "verify", bed.write("code", `${shown.claimCode.toLowerCase()}\n`));
  t.deepEqual([right.code, right.out], [0, "It is this box's.\n"]);

  await bed.end("control");
  await bed.run("control");
  t.deepEqual(label.parse(JSON.parse((await bed.niac("claim", "show", "--json")).out)), shown);
  const renewed = label.parse(JSON.parse((await bed.niac("claim", "renew", "--json")).out));
  t.not(renewed.claimCode, shown.claimCode);
  const old = await bed.niac("claim", "verify", bed.write("code", `${shown.claimCode}\n`));
  t.deepEqual([old.code, old.err], [1, "It is not this box's.\n"]);
  t.is((await bed.records("kind=box")).filter(({ detail }) => detail?.["action"] === "identity").length, 1);
  t.false(bed.log.includes(shown.claimCode) || bed.log.includes(renewed.claimCode));
});
