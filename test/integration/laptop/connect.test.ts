import test from "ava";
import { NiacError } from "../../../src/base/index.ts";
import type { Typed } from "../../../src/laptop/options.ts";
import { Pki } from "../../support/pki.ts";
import { freePort } from "../../support/ports.ts";
import { BOX, COUNTING, DIRECTORY, fakeAppliance, GOOD, type FakeAppliance } from "./fake-appliance.ts";
import { everything, listening, local, localPort, run, type Running } from "./running.ts";

const pki = Pki.create();
const root = pki.root("Plant Root");
const box = root.server({ dns: [BOX], ip: ["127.0.0.1"] });
const alice = root.client({ cn: "alice" });
const strangers = pki.root("Strangers Root");

test.after.always(() => pki.remove());

function typed(appliance: Pick<FakeAppliance, "via">, more: Partial<Typed> = {}): Typed {
  const files = { certificate: alice.cert, key: alice.key, ca: root.credential.cert };
  return { machines: ["press-4"], via: appliance.via, ...files, ...more };
}

/** Runs what is expected to fail, and gives the error. */
async function failure(typedIn: Typed): Promise<NiacError> {
  try {
    await run(typedIn).done;
  } catch (error) {
    if (error instanceof NiacError) return error;
    throw error;
  }
  throw new Error("the command ended without an error");
}

async function stopped(running: Running, appliance: FakeAppliance): Promise<void> {
  running.interrupt();
  await running.done;
  appliance.close();
}

test("each local connection is a TLS connection of its own, for its service", async (t) => {
  const appliance = await fakeAppliance(box, GOOD);
  const running = run(typed(appliance));
  const port = await localPort(running, "modbus");
  const [one, two] = [local(port), local(port)];
  one.end("first");
  two.end("second");
  t.deepEqual(await Promise.all([everything(one), everything(two)]), ["first", "second"]);
  const panel = local(await localPort(running, "panel"));
  panel.end("third");
  t.is(await everything(panel), "third");
  t.deepEqual(appliance.seen, [
    "niac-directory ",
    `modbus.press-4 modbus.press-4.${BOX}`,
    `modbus.press-4 modbus.press-4.${BOX}`,
    `panel.press-4 panel.press-4.${BOX}`,
  ]);
  await running.line(/^press-4\/modbus: connection 2 closed, [56] B sent, [56] B received$/);
  await stopped(running, appliance);
});

test("a megabyte goes through whole, and the answer still comes after the program has said all", async (t) => {
  const appliance = await fakeAppliance(box, COUNTING);
  const running = run(typed(appliance));
  const socket = local(await localPort(running, "panel"));
  socket.end(Buffer.alloc(1_000_000, 7));
  t.is(await everything(socket), "1000000 bytes came");
  await stopped(running, appliance);
});

test("Ctrl-C closes ports and connections, and the command ends well", async (t) => {
  const appliance = await fakeAppliance(box, GOOD);
  // A port that no other command takes the moment it is free.
  const port = await freePort();
  const running = run(typed(appliance, { machines: ["press-4/modbus"], port: String(port) }));
  t.is(await localPort(running, "modbus"), port);
  const socket = local(port);
  socket.write("x");
  await new Promise((resolve) => {
    socket.once("data", resolve);
  });
  running.interrupt();
  await t.notThrowsAsync(running.done);
  t.regex(await everything(socket), /^$|ECONNRESET/);
  t.is(await everything(local(port)), "ECONNREFUSED");
  appliance.close();
});

test("what the appliance closes at once is told with the place to look", async (t) => {
  const appliance = await fakeAppliance(box, (socket, protocol, name) => {
    if (protocol === "niac-directory") GOOD(socket, protocol, name);
    else socket.destroy();
  });
  const running = run(typed(appliance));
  const socket = local(await localPort(running, "modbus"));
  t.is(await everything(socket), "");
  t.regex(
    await running.line(/connection 1 closed/),
    /closed the connection before anything came; its record has the reason/,
  );
  await stopped(running, appliance);
});

test("an appliance that is away later does not end the command", async (t) => {
  const appliance = await fakeAppliance(box, GOOD);
  const running = run(typed(appliance));
  const port = await localPort(running, "modbus");
  appliance.close();
  await everything(local(port));
  t.regex(await running.line(/connection 1 closed/), /cannot be reached \(ECONNREFUSED\)/);
  running.interrupt();
  await t.notThrowsAsync(running.done);
});

test("another name for the appliance must be the one in its certificate", async (t) => {
  const named = root.server({ dns: [BOX] });
  const appliance = await fakeAppliance(named, GOOD);
  const wrong = await failure(typed(appliance));
  t.is(
    wrong.message,
    `${appliance.via} showed a certificate of "${BOX}" that is not for 127.0.0.1, but for DNS:${BOX}`,
  );
  const running = run(typed(appliance, { appliance: BOX }));
  const socket = local(await localPort(running, "modbus"));
  socket.end("x");
  t.is(await everything(socket), "x");
  await stopped(running, appliance);
});

test("a stranger in the appliance's place is named, and learns nothing", async (t) => {
  const stranger = strangers.server({ cn: "evil\u001b[2J.example", dns: [BOX], ip: ["127.0.0.1"] });
  const appliance = await fakeAppliance(stranger, GOOD);
  const error = await failure(typed(appliance));
  t.is(error.code, "appliance-untrusted");
  t.regex(
    error.message,
    /showed a certificate of "evil.*\.example" that no authority in .* issued; its issuer is "CN=Strangers Root"/,
  );
  t.notRegex(error.message, /\p{C}/u);
  t.deepEqual(appliance.seen, []);
  appliance.close();
});

test("a certificate the TLS library refuses: the alert that comes after the handshake", async (t) => {
  const appliance = await fakeAppliance(box, () => {}, { ca: strangers.certPem, rejectUnauthorized: true });
  const error = await failure(typed(appliance));
  t.is(error.code, "certificate-refused");
  t.regex(error.message, /answered the certificate of alice \(serial number [0-9A-F]+\) with /);
  appliance.close();
});

test("a certificate the appliance refuses by closing, as niac's does", async (t) => {
  const appliance = await fakeAppliance(box, (socket) => socket.destroy());
  const error = await failure(typed(appliance));
  t.is(error.code, "certificate-refused");
  t.regex(error.message, /with nothing: it closed the connection$/);
  appliance.close();
});

test("a TLS server that is no appliance", async (t) => {
  const appliance = await fakeAppliance(box, (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), {
    ALPNCallback: undefined,
  });
  t.is((await failure(typed(appliance))).code, "not-niac");
  appliance.close();
});

test("an endless list of services is not taken in", async (t) => {
  const appliance = await fakeAppliance(box, (socket) => {
    const more = (): void => {
      while (socket.write(Buffer.alloc(65_536, 0x20)));
    };
    socket.on("drain", more);
    more();
  });
  t.is((await failure(typed(appliance))).code, "directory-size");
  appliance.close();
});

test("a port that nothing listens on, and one that speaks no TLS", async (t) => {
  const { server: plain, port } = await listening((socket) => {
    socket.on("error", () => socket.destroy());
    socket.resume().end("220 mail\r\n");
  });
  const via = `127.0.0.1:${port}`;
  t.is((await failure(typed({ via }))).code, "handshake");
  await new Promise((resolve) => {
    plain.close(resolve);
  });
  const error = await failure(typed({ via }));
  t.is(error.message, `${via} cannot be reached (ECONNREFUSED)`);
});

test("a machine that is not permitted: what is", async (t) => {
  const appliance = await fakeAppliance(box, GOOD);
  const error = await failure(typed(appliance, { machines: ["press-5"] }));
  t.is(error.advice, "Permitted now: press-4/modbus, press-4/panel.");
  appliance.close();
});

test("a local port that is taken: another is found, but not for one that was asked for", async (t) => {
  const { server: taken, port } = await listening(() => {});
  const services = [{ ...DIRECTORY.services[0], port }];
  const appliance = await fakeAppliance(box, (socket) =>
    socket.end(JSON.stringify({ ...DIRECTORY, services })),
  );
  const running = run(typed(appliance));
  const other = await localPort(running, "modbus");
  t.not(other, port);
  await running.line(
    new RegExp(`^press-4/modbus has port ${port}, which cannot be had here: it is ${other}\\.$`),
  );
  running.interrupt();
  await running.done;
  const error = await failure(typed(appliance, { port: String(port) }));
  t.regex(
    error.message,
    new RegExp(`127\\.0\\.0\\.1 port ${port} cannot be opened \\(another program uses it\\)`),
  );
  appliance.close();
  taken.close();
});

test("one port cannot be for two services", async (t) => {
  const appliance = await fakeAppliance(box, GOOD);
  t.is((await failure(typed(appliance, { port: "7502" }))).code, "one-port");
  appliance.close();
});
