import { connect as connectTls } from "node:tls";
import { createServer } from "node:net";
import test from "ava";
import { Appliance, APPLIANCE } from "../support/appliance.ts";
import { freePort } from "../support/ports.ts";

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
  const alice = bed.root.client({ cn: "alice" });
  const socket = connectTls({
    host: "127.0.0.1",
    port: bed.servicesPort,
    servername: `console.press-4.${APPLIANCE}`,
    ca: bed.root.certPem,
    cert: alice.chainPem,
    key: alice.keyPem,
  });
  socket.allowHalfOpen = true;
  socket.end("hello");
  const answer: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => answer.push(chunk));
  await new Promise((resolve, reject) => socket.once("end", resolve).once("error", reject));
  t.is(Buffer.concat(answer).toString(), "you said hello");
});
