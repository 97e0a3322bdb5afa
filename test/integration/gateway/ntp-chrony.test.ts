/** chrony as the plant's time server and as the machine, the appliance's NTP between them. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { startNtp } from "../../../src/gateway/ntp.ts";
import { freePort } from "../../support/ports.ts";
import { end, until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";
import { ntpQuery, ntpServer } from "../../unit/gateway/ntp-servers.ts";
import { responderBed, snapshotWith, udpClient } from "../../unit/gateway/responder-bed.ts";

/** Not the machine's address: a client whose server names the client's own address as its source sees a loop. */
const SERVER = "127.0.0.2";
const SECONDS_OF_5_HOURS = 18_000;

/** A directory as chronyd wants it: nobody else's. */
function ownDirectory(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), "niac-chrony-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** chronyd as a server that never touches the clock. Its port. */
async function chronyServer(t: ExecutionContext): Promise<number> {
  const dir = ownDirectory(t);
  const port = await freePort();
  const lines = [
    `port ${port}`,
    `bindaddress ${SERVER}`,
    "allow 127.0.0.0/8",
    "local stratum 5",
    "cmdport 0",
    `bindcmdaddress ${dir}/command.sock`,
    `pidfile ${dir}/pid`,
    "user root",
  ];
  const file = join(dir, "chrony.conf");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const child = spawn("chronyd", ["-x", "-d", "-f", file], { stdio: "ignore" });
  t.teardown(() => end(child));
  let answered = false;
  const asking = await udpClient(t, port, "127.0.0.1", SERVER);
  void asking.next().then(() => (answered = true));
  await until(() => {
    asking.send(ntpQuery(Buffer.alloc(8, 1)));
    return answered;
  }, "chronyd to answer");
  return port;
}

/** What chronyd as a client finds this computer's clock to be off by, in seconds. */
async function chronyClient(t: ExecutionContext, port: number): Promise<number> {
  const dir = ownDirectory(t);
  const args = ["-Q", "-t", "30", "-f", "/dev/null", "-u", "root"];
  const lines = [`server 127.0.0.1 port ${port} iburst maxsamples 1`, `pidfile ${dir}/pid`, "cmdport 0"];
  const child = spawn("chronyd", [...args, ...lines], { stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => end(child, "SIGKILL"));
  let out = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (out += text));
  await new Promise((resolve) => child.once("close", resolve));
  const wrong = /System clock wrong by (-?[\d.]+) seconds/.exec(out);
  t.truthy(wrong, out);
  return Number(wrong?.[1]);
}

testWith("chronyd", "root")("a machine's chrony takes the time of the plant's chrony", async (t) => {
  const serverPort = await chronyServer(t);
  const bed = responderBed(snapshotWith([], [SERVER]));
  const ntp = await startNtp({ ...bed.options, serverPort });
  t.teardown(() => ntp.close());
  const off = await chronyClient(t, ntp.port);
  t.true(Math.abs(off) < 2, `${off} s`);
  // A server that needs more than a second is on record, as kind process; nothing is refused.
  t.deepEqual(
    bed.drafts.filter(({ kind }) => kind !== "process"),
    [],
  );
});

testWith(
  "chronyd",
  "root",
  "faketime",
)("a server that is five hours ahead is believed: its time, not ours", async (t) => {
  const server = await ntpServer(t, SERVER, 0, () => ({ off: SECONDS_OF_5_HOURS * 1000 }));
  const bed = responderBed(snapshotWith([], [SERVER]));
  const ntp = await startNtp({ ...bed.options, serverPort: server.port });
  t.teardown(() => ntp.close());
  const off = await chronyClient(t, ntp.port);
  t.true(Math.abs(off - SECONDS_OF_5_HOURS) < 2, `${off} s`);
});

testWith("chronyd", "root")(
  "a server that does not trust its own clock is not taken by the machine either",
  async (t) => {
    const server = await ntpServer(t, SERVER, 0, () => ({ bits: 0xe4, stratum: 0, reference: "INIT" }));
    const bed = responderBed(snapshotWith([], [SERVER]));
    const ntp = await startNtp({ ...bed.options, serverPort: server.port });
    t.teardown(() => ntp.close());
    const dir = ownDirectory(t);
    const lines = [
      `server 127.0.0.1 port ${ntp.port} iburst maxsamples 1`,
      `pidfile ${dir}/pid`,
      "cmdport 0",
    ];
    const child = spawn("chronyd", ["-Q", "-t", "6", "-f", "/dev/null", "-u", "root", ...lines], {
      stdio: "ignore",
    });
    t.teardown(() => end(child, "SIGKILL"));
    const code = await new Promise((resolve) => child.once("close", resolve));
    t.is(code, 1);
    t.true(server.queries.length >= 1);
  },
);
