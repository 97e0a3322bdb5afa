import { APPLIANCE, Appliance } from "../support/appliance.ts";
import { ANSWER, REQUEST, SClient, type SClientOptions } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const ASKED: Readonly<Record<string, Omit<SClientOptions, "credential">>> = {
  "the service": {},
  "the service in odd case": { serverName: `MODBUS.Press-4.${APPLIANCE.toUpperCase()}` },
  "the service with a final dot": { serverName: `modbus.press-4.${APPLIANCE}.` },
  "the machine alone": { serverName: `press-4.${APPLIANCE}` },
  nothing: { serverName: null },
  "nothing, and the service by ALPN": { serverName: null, args: ["-alpn", "modbus.press-4"] },
  "an unknown name": { serverName: "plc.elsewhere.example" },
  "an unknown machine": { serverName: `modbus.press-9.${APPLIANCE}` },
  "a wildcard": { serverName: `*.press-4.${APPLIANCE}` },
  "the appliance itself": { serverName: APPLIANCE },
  "a very long name": { serverName: `${"a.".repeat(100)}${APPLIANCE}` },
};
const REACHES = new Set(Object.keys(ASKED).slice(0, 6));

testWith("pymodbus")("the certificate is demanded whatever the SNI and ALPN", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port) });

  for (const [what, options] of Object.entries(ASKED)) {
    const bare = new SClient(t, bed, { ...options, credential: null });
    bare.send(REQUEST);
    t.regex(
      await bare.closed(),
      /Acceptable client certificate CA names|Requested Signature Algorithms/,
      what,
    );
    t.false(bare.out.includes(ANSWER), `${what}: no answer without a certificate`);
  }
  t.deepEqual(await machine.heard(), []);
  const reasons = await bed.recorded(1, "kind=session.refused", "stage=certificate");
  for (const { reason } of reasons) t.regex(reason ?? "", /no certificate/);
  t.deepEqual(await bed.records("kind=session.refused", "stage=service"), [], "who it is comes first");
});

testWith("pymodbus")(
  "with a certificate the name decides which machine, in any case of its letters",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const second = `
  press-5: { services: { modbus: { protocol: modbus-tcp, address: "127.0.0.1:${machine.port}" } } }`;
    const bed = await Appliance.start(t, { site: pressSite(machine.port, { machines: second }) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });

    for (const [what, options] of Object.entries(ASKED)) {
      const client = new SClient(t, bed, { ...options, credential });
      client.send(REQUEST);
      // With two Modbus machines, no name at all says nothing.
      if (REACHES.has(what) && what !== "nothing") {
        await client.says(ANSWER);
        await client.leave();
      } else {
        t.false((await client.closed()).includes(ANSWER), what);
      }
    }
    const refused = await bed.recorded(6, "kind=session.refused", "stage=service");
    t.true(refused.every(({ identity }) => identity?.user === "alice"));
    t.true(refused.some(({ reason }) => reason === "the client named no machine"));
    t.true(refused.some(({ reason }) => reason?.includes("plc.elsewhere.example")));
  },
);
