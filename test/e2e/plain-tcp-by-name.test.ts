import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { Appliance } from "../support/appliance.ts";
import { until } from "../support/processes.ts";
import { SClient } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { TcpMachine } from "../support/tcp-machine.ts";
import { stunnel, testWith } from "../support/tools.ts";

const GREETING = "RFB 003.008\n";
const GRANT = `
  - name: maintenance-sees-the-screen
    reason: Maintenance looks at the press's own screen
    who: { groups: [maintenance] }
    what: { machines: [press-4], services: [vnc] }`;

function site(port: number): string {
  const services = `vnc: { protocol: tcp, address: "127.0.0.1:${port}" }`;
  return pressSite(1, { services, grants: GRANT });
}

testWith("stunnel4")("a plain TCP service is reached through stunnel by SNI, byte for byte", async (t) => {
  const machine = await TcpMachine.start(t, (socket) => {
    socket.write(GREETING);
    socket.pipe(socket);
  });
  const bed = await Appliance.start(t, { site: site(machine.port) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const tunnel = await stunnel(t, bed, { credential, service: "vnc.press-4", to: bed.servicesPort });

  const sent = randomBytes(3_000_000);
  let received = Buffer.alloc(0);
  const client = connect(tunnel, "127.0.0.1", () => client.write(sent));
  t.teardown(() => client.destroy());
  client.on("data", (chunk) => (received = Buffer.concat([received, chunk])));
  await until(() => received.length === GREETING.length + sent.length, "all of it to come back");
  t.is(received.subarray(0, GREETING.length).toString(), GREETING);
  t.true(received.subarray(GREETING.length).equals(sent));
  t.regex(
    (await bed.niac("sessions")).out,
    /alice .* press-4\/vnc +maintenance-sees-the-screen .* 3\.0 MB \/ 3\.0 MB/,
  );

  client.destroy();
  await until(
    () => machine.connections.every((socket) => socket.destroyed),
    "the machine's side to be closed",
  );
  const [ended] = await bed.recorded(1, "kind=session.end");
  t.like(ended, {
    service: "vnc",
    reason: "the client closed the connection",
    counts: { bytesIn: sent.length, bytesOut: received.length, reads: 0, writes: 0, denials: 0 },
  });

  const other = bed.root.client({ cn: "bob", ou: ["office"] });
  const refused = await stunnel(t, bed, { credential: other, service: "vnc.press-4", to: bed.servicesPort });
  const late = connect(refused, "127.0.0.1");
  let got = 0;
  late.on("data", (chunk) => (got += chunk.length)).on("error", () => late.destroy());
  await until(() => late.destroyed, "a laptop without a grant to be let go");
  t.is(got, 0);
  t.is(machine.connections.length, 1, "the machine knows nothing of it");
});

testWith()("a plain TCP service is reached by ALPN, and its last bytes arrive before its end", async (t) => {
  const last = randomBytes(500_000).toString("hex");
  const machine = await TcpMachine.start(t, (socket) => socket.once("data", () => socket.end(last)));
  const bed = await Appliance.start(t, { site: site(machine.port) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const dial = (args: readonly string[]): SClient =>
    new SClient(t, bed, { credential, serverName: null, port: bed.servicesPort, args: ["-quiet", ...args] });

  const client = dial(["-alpn", "vnc.press-4"]);
  client.send("go\n");
  t.true((await client.closed()).includes(last), "a machine that says much and leaves is heard to the end");
  const [ended] = await bed.recorded(1, "kind=session.end");
  t.like(ended, {
    reason: "the machine closed the connection",
    counts: { bytesIn: 3, bytesOut: last.length },
  });

  t.regex(await dial(["-alpn", "vnc.press-9"]).closed(), /alert no application protocol/);
  const wrong = dial([]);
  wrong.send("go\n");
  await wrong.closed();
  t.is(machine.connections.length, 1);
  const refused = await bed.recorded(1, "kind=session.refused", "stage=service");
  t.regex(refused[0]?.reason ?? "", /named no machine/);
});

testWith()("a machine that is not there ends the session with that reason", async (t) => {
  const bed = await Appliance.start(t, { site: site(1) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const client = new SClient(t, bed, {
    credential,
    serverName: null,
    port: bed.servicesPort,
    args: ["-alpn", "vnc.press-4"],
  });
  await client.closed();
  const [ended] = await bed.recorded(1, "kind=session.end");
  t.regex(ended?.reason ?? "", /machine's side failed: .*ECONNREFUSED/);
});
