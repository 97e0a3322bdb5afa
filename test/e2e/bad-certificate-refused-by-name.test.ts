import { Appliance } from "../support/appliance.ts";
import type { Credential } from "../support/pki.ts";
import { ANSWER, REQUEST, SClient } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

testWith("pymodbus")("a certificate that is not good is refused, and on record by its name", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port) });
  const { root, pki } = bed;
  const ou = ["maintenance"];
  const past = { notBefore: new Date("2020-01-01"), notAfter: new Date("2021-01-01") };
  const year = new Date().getUTCFullYear();
  const future = { notBefore: new Date(`${year + 1}-06-01`), notAfter: new Date(`${year + 2}-06-01`) };
  const cases: ReadonlyArray<readonly [name: string, credential: Credential, why: RegExp]> = [
    ["stranger", pki.root("Another Root").client({ cn: "stranger", ou }), /issuer|authority|trust/i],
    ["self-made", pki.selfSigned({ cn: "self-made", ou }), /self.signed|authority|trust/i],
    ["bygone", root.client({ cn: "bygone", ou, ...past }), /expired/],
    ["premature", root.client({ cn: "premature", ou, ...future }), /not yet|not valid before|valid from/i],
    ["web-server", root.client({ cn: "web-server", ou, eku: "serverAuth" }), /client/i],
    ["authority", root.client({ cn: "authority", ou, ca: true }), /authority|CA/],
    ["two-faced", root.client({ cn: "two-faced", ou, role: "Operator", secondRole: "Engineer" }), /role/],
  ];

  for (const [name, credential] of cases) {
    const client = new SClient(t, bed, { credential });
    client.send(REQUEST);
    await client.closed();
    t.false(client.out.includes(ANSWER), `${name} got no answer`);
  }
  const nobody = new SClient(t, bed, { credential: null });
  nobody.send(REQUEST);
  await nobody.closed();
  t.deepEqual(await machine.heard(), []);

  const records = await bed.recorded(cases.length + 1, "kind=session.refused");
  t.is(records.length, cases.length + 1);
  for (const [i, [name, , why]] of cases.entries()) {
    const record = records[i]!;
    t.is(record.stage, "certificate", name);
    t.regex(record.presented?.subject ?? "", new RegExp(`CN=${name}`), name);
    t.regex(record.presented?.fingerprint ?? "", /^[0-9a-f]{64}$/, name);
    t.regex(record.reason ?? "", why, name);
    t.is(record.identity, undefined, `${name} is nobody`);
    t.regex(record.source ?? "", /^127\.0\.0\.1:\d+$/);
  }
  t.regex(records.at(-1)?.reason ?? "", /no certificate/);
  t.deepEqual(await bed.records("kind=session.start"), [], "none of them began a session");
  const shown = (await bed.niac("audit", "query", "kind=session.refused")).out;
  for (const [name] of cases) t.regex(shown, new RegExp(`DENIED .*CN=${name}`), "a person reads who it was");
});
