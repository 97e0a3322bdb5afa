import { spawn } from "node:child_process";
import type { ExecutionContext } from "ava";
import { Appliance } from "../support/appliance.ts";
import { ModbusClient, words } from "../support/modbus-client.ts";
import { end, until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { mbpoll, PymodbusMachine, stunnel, testWith } from "../support/tools.ts";

/** A serial line's two ends. */
async function serialLine(t: ExecutionContext): Promise<[string, string]> {
  const child = spawn("socat", ["-d", "-d", "pty,raw,echo=0", "pty,raw,echo=0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.teardown(() => end(child));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ends = (): string[] => [...said.matchAll(/PTY is (\/dev\/\S+)/g)].map((match) => match[1] ?? "");
  await until(() => ends().length === 2, "socat to lay the line");
  const [one = "", other = ""] = ends();
  return [one, other];
}

testWith(
  "mbpoll",
  "stunnel4",
  "pymodbus",
  "socat",
)("a Modbus RTU machine on a serial line is read and written through the appliance", async (t) => {
  const [near, far] = await serialLine(t);
  const machine = await PymodbusMachine.start(t, far);
  const serial = `
  drive-2:
    services:
      modbus: { protocol: modbus-rtu, serial: { path: ${near}, baudRate: 19200 }, units: [1, 2], requestTimeout: 5s }`;
  const grants = `
  - name: maintenance-runs-the-drive
    reason: Maintenance sets the drive's speed
    who: { groups: [maintenance] }
    what: { machines: [drive-2], modbus: { functions: readWrite, read: { holdingRegisters: all }, write: { holdingRegisters: [{ addresses: 0-99, values: 0-1500 }] } } }`;
  const bed = await Appliance.start(t, { site: pressSite(1, { machines: serial, grants }) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });

  const port = await stunnel(t, bed, { credential, service: "modbus.drive-2" });
  t.deepEqual((await mbpoll(port, { address: 10, count: 100 })).values.slice(0, 3), [10, 11, 12]);
  const written = await mbpoll(port, { address: 20, write: [1400] });
  t.is(written.code, 0, written.out);
  t.deepEqual((await mbpoll(port, { address: 20 })).values, [1400]);
  t.regex((await mbpoll(port, { address: 20, write: [1501] })).out, /Illegal function/);

  const clients = await Promise.all(
    Array.from({ length: 3 }, () => ModbusClient.connect(bed, { credential, service: "modbus.drive-2" })),
  );
  const answers = await Promise.all(
    clients.flatMap((client, i) => [client.write(30 + i, i + 1), client.read(30 + i), client.read(40 + i)]),
  );
  t.deepEqual(
    answers.map(({ exception, values }) => [exception, ...values]),
    [0, 1, 2].flatMap((i) => [[0], [0, i + 1], [0, 40 + i]]),
    "three at once share the line, each with its own answers in order",
  );
  const before = (await machine.heard()).length;
  t.is((await clients[0]!.read(10, 1, 3)).exception, 1, "a unit the site does not know");
  t.is((await clients[0]!.write(10, 1, 0)).exception, 1, "a broadcast to every unit");
  t.is((await clients[0]!.request(words(6, 100, 1))).readUInt8(1), 1, "an address outside the grant");
  t.is((await machine.heard()).length, before, "nothing of it was on the line");
  t.deepEqual(
    (await bed.recorded(4, "kind=outcome")).map(({ outcome }) => outcome),
    ["ok", "ok", "ok", "ok"],
  );

  machine.child.kill("SIGSTOP");
  t.is((await clients[0]!.read(11)).exception, 0x0b, "a drive that does not answer");
  machine.child.kill("SIGCONT");
  await bed.until(async () => (await clients[0]!.read(11)).exception === 0, "the drive to be back");
  t.deepEqual((await clients[0]!.read(12)).values, [12], "and no late answer is taken for another's");
});
