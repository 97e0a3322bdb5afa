import type { ExecutionContext } from "ava";
import { Appliance, APPLIANCE } from "../../support/appliance.ts";
import type { Credential } from "../../support/pki.ts";
import { pressSite } from "../../support/sites.ts";
import { testWith } from "../../support/tools.ts";
import { BOX2, Cable, cableSite, HISTORIAN, Talker } from "./cable.ts";

const SERVER = "historian.plant.example";
const TO_HISTORIAN = cableSite({
  more: `
destinations:
  - { name: historian, reason: Process values, machines: [hmi-1], how: wrap, host: ${HISTORIAN}, ports: [502], tlsPort: 6514, serverName: ${SERVER} }`,
});

/** stunnel as a server that demands a certificate, in front of one that sends back what it is sent. */
async function stunnelServer(cable: Cable, credential: Credential, trusted: string): Promise<void> {
  await cable.socat(`TCP4-LISTEN:9000,bind=${HISTORIAN},reuseaddr,fork`, "EXEC:cat");
  const lines = [
    "foreground = yes",
    "debug = info",
    "pid =",
    "[historian]",
    `accept = ${HISTORIAN}:6514`,
    `connect = ${HISTORIAN}:9000`,
    `cert = ${credential.fullChain}`,
    `key = ${credential.key}`,
    `CAfile = ${trusted}`,
    "verifyChain = yes",
    "sslVersionMin = TLSv1.3",
    "",
  ];
  const child = cable.spawn("box", "stunnel4", cable.bed.write("stunnel.conf", lines.join("\n")));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes(`bound to ${HISTORIAN}:6514`)) resolve();
    });
    child.once("exit", () => reject(new Error(`stunnel ended: ${said}`)));
  });
}

testWith("root", "stunnel4")(
  "what a machine sends to a wrapped destination arrives by mutual TLS, and what comes back reaches it",
  async (t) => {
    const cable = await Cable.start(t, TO_HISTORIAN);
    const server = cable.bed.root.server({ dns: [SERVER] });
    await stunnelServer(cable, server, cable.bed.root.credential.cert);
    const hmi = await cable.tcp("cell", HISTORIAN);
    t.is(await hmi.ask("pressure 7"), "got pressure 7");
    t.is(await hmi.ask("pressure 8"), "got pressure 8");
    t.regex(
      cable.run("box", "ss", "-Htn", "dst", HISTORIAN, "dport", "=", ":6514"),
      /198\.18\.\d+\.\d+:\d+ +10\.9\.0\.30:6514/,
    );
    const [start] = await cable.bed.recorded(1, "user=hmi-1", "kind=session.start");
    t.like(start, {
      machine: "historian",
      service: "tcp",
      rule: "historian",
      detail: { how: "wrap", serverName: SERVER, server: `${HISTORIAN}:6514` },
    });
  },
);

/** One that the gateway must not trust: what its session ended with. */
async function refusedServer(
  t: ExecutionContext,
  server: (cable: Cable) => Credential,
  trusted = (cable: Cable) => cable.bed.root.credential.cert,
): Promise<string> {
  const cable = await Cable.start(t, TO_HISTORIAN);
  await stunnelServer(cable, server(cable), trusted(cable));
  const hmi = await cable.tcp("cell", HISTORIAN);
  await hmi.says("reset");
  const [ended] = await cable.bed.recorded(1, "user=hmi-1", "kind=session.end");
  return ended?.reason ?? "";
}

testWith("root", "stunnel4")(
  "a server with another name is refused, and the machine's connection reset",
  async (t) => {
    const reason = await refusedServer(t, (cable) =>
      cable.bed.root.server({ dns: ["archive.plant.example"] }),
    );
    t.is(
      reason,
      `historian's side failed: the server's certificate is not for ${SERVER}: DNS:archive.plant.example`,
    );
  },
);

testWith("root", "stunnel4")("a server of an authority that is not trusted is refused", async (t) => {
  const reason = await refusedServer(t, (cable) =>
    cable.bed.pki.root("Another Root").server({ dns: [SERVER] }),
  );
  t.regex(
    reason,
    /^historian's side failed: the server's certificate is not trusted: .*\(SELF_SIGNED_CERT_IN_CHAIN\)$/,
  );
});

testWith("root", "stunnel4")("a client's certificate is none of a server", async (t) => {
  const reason = await refusedServer(t, (cable) => cable.bed.root.client({ cn: SERVER, sanDns: [SERVER] }));
  t.regex(
    reason,
    /^historian's side failed: the server's certificate is not trusted: .*\(INVALID_PURPOSE\)$/,
  );
});

testWith("root", "stunnel4")(
  "a server that does not take the appliance's certificate is named as that",
  async (t) => {
    const reason = await refusedServer(
      t,
      (cable) => cable.bed.root.server({ dns: [SERVER] }),
      (cable) => cable.bed.pki.root("Another Root").credential.cert,
    );
    t.regex(reason, /^historian's side failed: the server refused the appliance's certificate: /);
  },
);

testWith("root")("a server that only speaks in the open gets nothing", async (t) => {
  const cable = await Cable.start(t, TO_HISTORIAN);
  const open = new Talker(await cable.socat("-u", `TCP4-LISTEN:6514,bind=${HISTORIAN},reuseaddr`, "STDOUT"));
  const hmi = await cable.tcp("cell", HISTORIAN);
  hmi.child.stdin?.write("secret\n");
  await cable.bed.recorded(1, "user=hmi-1", "kind=session.start");
  await cable.bed.apply(cableSite());
  await hmi.says("reset");
  t.notRegex(open.lines.join("\n"), /secret/);
});

testWith("root", "pymodbus")(
  "two machines that know no TLS talk through two appliances, each judged by its own",
  async (t) => {
    const site = cableSite({
      more: `
destinations:
  - name: press-9
    reason: The panel shows it
    machines: [hmi-1]
    how: wrap
    host: ${BOX2}
    ports: [502]
    tlsPort: 802
    serverName: modbus.press-4.${APPLIANCE}
    modbus: { functions: readWrite, read: { holdingRegisters: all }, write: { holdingRegisters: all } }`,
    });
    const fars: Appliance[] = [];
    const cable = await Cable.start(t, site, async (near) => {
      const far = await Appliance.prepare(t, {
        site: null,
        namespace: near.space("box"),
        environment: {
          NIAC_TLS_CLIENT_CA: near.bed.root.credential.cert,
          NIAC_LISTEN_MODBUS: `${BOX2}:802`,
          NIAC_LISTEN_SERVICES: `${BOX2}:8443`,
        },
      });
      near.bed.environment["NIAC_TLS_SERVER_CA"] = far.root.credential.cert;
      fars.push(far);
    });
    const [far] = fars;
    if (far === undefined) throw new Error("there is no second appliance");
    await far.run("control");
    await far.apply(
      pressSite(5020, {
        grants: `
  - name: box-1-sets
    reason: The panel of the other hall
    who: { users: [${APPLIANCE}] }
    what: { machines: [press-4], modbus: { functions: readWrite, read: { holdingRegisters: all }, write: { holdingRegisters: [10-19] } } }`,
      }),
    );
    await far.run("gateway");
    const press = await cable.machine("127.0.0.1", 5020);
    const hmi = await cable.client("cell", BOX2);
    t.is(await hmi.ask("read 10 3"), "10 11 12");
    t.is(await hmi.ask("write 11 7"), "done");
    t.is(await hmi.ask("read 11 1"), "7");
    t.is(await hmi.ask("write 20 7"), "exception 1");
    t.deepEqual(
      (await press.heard()).filter((line) => line.startsWith("write")),
      ["write holdingRegisters 11 [7]"],
    );
    const [here] = await cable.bed.recorded(1, "user=hmi-1", "kind=session.start");
    t.like(here, { machine: "press-9", service: "modbus", detail: { how: "wrap" } });
    // The write beyond the far grant was permitted here, and refused there, to this appliance by its name.
    const [there] = await far.recorded(1, "kind=operation", "decision=denial");
    t.like(there, { stage: "address", rule: "box-1-sets", identity: { user: APPLIANCE } });
    const outcomes = await cable.bed.recorded(2, "kind=outcome");
    t.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ["ok", "exception"],
    );
    t.regex((await far.niac("sessions")).out, /press-4\/modbus +box-1-sets/);
  },
);
