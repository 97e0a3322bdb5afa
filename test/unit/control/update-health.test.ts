import test from "ava";
import { reasonsAgainst, type Standing } from "../../../src/control/update-health.ts";

const WELL: Standing = {
  gateway: true,
  netd: "attached",
  ruleset: { wanted: 7, inForce: 7 },
  authority: null,
  audit: "writing",
  failedUnits: [],
};

test("a box that decides and records is healthy, with a site document or without, in the cable or not", (t) => {
  t.deepEqual(reasonsAgainst(WELL), []);
  t.deepEqual(reasonsAgainst({ ...WELL, ruleset: { wanted: 0, inForce: 0 } }), []);
  t.deepEqual(reasonsAgainst({ ...WELL, netd: "absent", ruleset: { wanted: 7, inForce: 0 } }), []);
});

for (const [what, change, words] of [
  ["gateway", { gateway: false }, /gateway is away/],
  ["netd", { netd: "away" }, /netd is away/],
  ["ruleset", { ruleset: { wanted: 7, inForce: 6 } }, /in force is of version 6, and not of version 7/],
  ["no ruleset", { ruleset: { wanted: 7, inForce: 0 } }, /of no site document, and not of version 7/],
  ["authority", { authority: "the TPM does not answer" }, /keys do not open: the TPM does not answer/],
  ["full storage", { audit: "full" }, /nothing can be recorded: the audit log is full/],
  [
    "unit",
    { failedUnits: ["niac-usb.service", "niac-x.service"] },
    /failed: niac-usb.service, niac-x.service/,
  ],
] as const) {
  test(`not healthy: ${what}`, (t) => {
    const reasons = reasonsAgainst({ ...WELL, ...change });
    t.is(reasons.length, 1);
    t.regex(reasons.join(), words);
  });
}
