import { connect as connectTls } from "node:tls";
import { createServer } from "node:net";
import test from "ava";
import { Appliance, APPLIANCE } from "../support/appliance.ts";
import { frame, words } from "../support/modbus-client.ts";
import { freePort } from "../support/ports.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

/** Sends all of it and the end of it; resolves with all that came back, once the other side has ended too. */
async function say(bed: Appliance, port: number, service: string, bytes: string | Buffer): Promise<Buffer> {
  const alice = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const socket = connectTls({
    host: "127.0.0.1",
    port,
    servername: `${service}.press-4.${APPLIANCE}`,
    ca: bed.root.certPem,
    cert: alice.chainPem,
    key: alice.keyPem,
  });
  socket.allowHalfOpen = true;
  socket.end(bytes);
  const answer: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => answer.push(chunk));
  await new Promise((resolve, reject) => socket.once("end", resolve).once("error", reject));
  return Buffer.concat(answer);
}

/** As `printf ... | nc` does: all of the request, the end of it, and then the answer. */
test("a client that ends its side still gets the machine's answer", async (t) => {
  const port = await freePort();
  const machine = createServer({ allowHalfOpen: true }, (socket) => {
    const asked: Buffer[] = [];
    socket.on("data", (chunk) => asked.push(chunk));
    socket.on("end", () => socket.end(`you said ${Buffer.concat(asked).toString()}`));
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => machine.listen(port, "127.0.0.1", resolve));
  t.teardown(() => void machine.close());
  const bed = await Appliance.start(t, {
    site: `
niac: 1
site: { name: Test plant, appliance: ${APPLIANCE}, timeZone: UTC }
machines:
  press-4:
    services:
      console: { protocol: tcp, address: "127.0.0.1:${port}" }
grants:
  - name: console
    reason: test
    who: anyone
    what: { machines: [press-4] }
`,
  });
  t.is((await say(bed, bed.servicesPort, "console", "hello")).toString(), "you said hello");
});

testWith("pymodbus")("a Modbus client that ends its side gets the answers to all it asked", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port) });
  const asked = [frame(1, 1, words(3, 10, 1)), frame(2, 1, words(6, 20, 4711)), frame(3, 1, words(3, 20, 1))];
  const answer = await say(bed, bed.modbusPort, "modbus", Buffer.concat(asked));
  const expected = [
    frame(1, 1, Buffer.of(3, 2, 0, 10)),
    frame(2, 1, words(6, 20, 4711)),
    frame(3, 1, Buffer.concat([Buffer.of(3, 2), words(0, 4711).subarray(1)])),
  ];
  t.is(answer.toString("hex"), Buffer.concat(expected).toString("hex"));
  const [end] = await bed.recorded(1, "kind=session.end");
  t.is(end?.reason, "the client closed the connection");
});
