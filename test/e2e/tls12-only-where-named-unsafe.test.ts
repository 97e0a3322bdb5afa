import { APPLIANCE, Appliance } from "../support/appliance.ts";
import type { Credential } from "../support/pki.ts";
import { ANSWER, REQUEST, SClient } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

/** Old suites in openssl's names: CBC with SHA-1, RSA key transport, no authentication, no encryption. */
const OLD = [
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-ECDSA-AES128-SHA",
  "AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-SHA256",
  "AECDH-AES128-SHA",
  "eNULL",
];

testWith("pymodbus")("TLS 1.2 is refused, unless a service names it, and then only there", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const site = pressSite(machine.port);
  const bed = await Appliance.start(t, { site });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const dial = (
    args: readonly string[],
    service = "modbus.press-4",
    who: Credential = credential,
  ): SClient => {
    const client = new SClient(t, bed, { credential: who, serverName: `${service}.${APPLIANCE}`, args });
    client.send(REQUEST);
    return client;
  };

  t.regex(await dial(["-tls1_2"]).closed(), /alert protocol version/);
  const [refused] = await bed.recorded(1, "kind=session.refused", "stage=handshake");
  t.regex(refused?.reason ?? "", /protocol/i, "the record says why");

  const old = `
  old-hmi: { services: { modbus: { protocol: modbus-tcp, address: "127.0.0.1:${machine.port}", unsafeTls12: true } } }`;
  await bed.apply(
    pressSite(machine.port, { machines: old }).replace("machines: [press-4]", "machines: [press-4, old-hmi]"),
  );
  const taken = dial(["-tls1_2"], "modbus.old-hmi");
  await taken.says(ANSWER);
  t.regex(taken.out, /Cipher is ECDHE-ECDSA-AES(128|256)-GCM/);
  await taken.leave();
  t.false((await dial(["-tls1_2"]).closed()).includes(ANSWER), "not for the other machine");
  const elsewhere = await bed.recorded(1, "kind=session.refused", "stage=tls");
  t.like(elsewhere[0], { machine: "press-4", identity: { user: "alice" } });
  t.regex(elsewhere[0]?.reason ?? "", /TLSv1\.2.*TLSv1\.3/);

  const directory = await dial(["-tls1_2", "-alpn", "niac-directory"]).closed();
  t.false(directory.includes('"services"'), "nor for the list of what the certificate may open");
  t.is((await bed.recorded(2, "kind=session.refused", "stage=tls")).length, 2);

  for (const suite of ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"]) {
    const client = dial(["-tls1_2", "-cipher", suite], "modbus.old-hmi");
    await client.says(ANSWER);
    await client.leave();
  }
  for (const suite of OLD) {
    const args = ["-tls1_2", "-cipher", `${suite}:@SECLEVEL=0`];
    t.regex(await dial(args, "modbus.old-hmi").closed(), /alert handshake failure/, suite);
  }
  for (const version of ["-tls1_1", "-tls1"]) {
    const args = [version, "-cipher", "ALL:@SECLEVEL=0"];
    t.regex(await dial(args, "modbus.old-hmi").closed(), /alert protocol version/, version);
  }
});

testWith("pymodbus")(
  "with an RSA certificate TLS 1.2 offers the specification's suite and no older one",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.prepare(t, { site: null });
    const server = bed.root.server({ dns: [`modbus.press-4.${APPLIANCE}`], key: "rsa2048" });
    bed.environment["NIAC_TLS_CERTIFICATE"] = server.fullChain;
    bed.environment["NIAC_TLS_KEY"] = server.key;
    await bed.run("up");
    await bed.apply(pressSite(machine.port, { service: "unsafeTls12: true" }));
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"], key: "rsa2048" });
    const dial = (suite: string): SClient => {
      const client = new SClient(t, bed, {
        credential,
        args: ["-tls1_2", "-cipher", `${suite}:@SECLEVEL=0`],
      });
      client.send(REQUEST);
      return client;
    };
    // MODBUS/TCP Security.
    const good = dial("ECDHE-RSA-AES128-GCM-SHA256");
    await good.says(ANSWER);
    await good.leave();
    for (const suite of [
      "ECDHE-RSA-AES128-SHA",
      "AES128-SHA",
      "AES128-GCM-SHA256",
      "DHE-RSA-AES128-GCM-SHA256",
    ]) {
      t.regex(await dial(suite).closed(), /alert handshake failure/, suite);
    }
  },
);
