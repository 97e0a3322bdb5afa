import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import test from "ava";
import { ProfileStore } from "../../../src/laptop/store.ts";
import { freePort } from "../../support/ports.ts";
import { Pki, type Credential } from "../../support/pki.ts";
import { end, until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";
import { BOX, DIRECTORY, fakeAppliance, GOOD, type Behaviour } from "./fake-appliance.ts";
import { Laptop } from "./laptop.ts";
import { everything, local } from "./running.ts";

const pki = Pki.create();
const root = pki.root("Plant Root");
const box = root.server({ dns: [BOX], ip: ["127.0.0.1"] });
const first = root.client({ cn: "alice" });
const second = root.client({ cn: "alice" });

test.after.always(() => pki.remove());

function identity(credential: Credential): string {
  return credential.keyPem + credential.chainPem;
}

/** A laptop that is enrolled with `first`. */
function enrolled(t: { teardown(finish: () => void): void }, via: string): [Laptop, ProfileStore] {
  const laptop = new Laptop(t);
  const store = new ProfileStore(laptop.profiles, "default");
  const profile = {
    version: 1,
    box: "https://127.0.0.1",
    label: null,
    via,
    appliance: BOX,
    user: "alice",
    device: "laptop-7",
    algorithm: "p256",
    token: null,
  } as const;
  store.install({ profile, identity: identity(first), ca: root.certPem });
  return [laptop, store];
}

function serial({ certPem }: Credential): string {
  return new X509Certificate(certPem).serialNumber;
}

test("connect needs no options; a connection outlives a renewal, and the next one uses the new certificate", async (t) => {
  const by: string[] = [];
  const behaviour: Behaviour = (socket, protocol, name) => {
    by.push(`${protocol} ${serialOf(socket)}`);
    GOOD(socket, protocol, name);
  };
  const appliance = await fakeAppliance(box, behaviour);
  const [laptop, store] = enrolled(t, appliance.via);
  const running = laptop.niac("connect", "press-4/modbus");
  const row = await laptop.line(/^press-4 +modbus /);
  const port = Number(/ 127\.0\.0\.1:(\d+) /.exec(row)?.[1]);
  const old = local(port);
  const echoed = everything(old);
  old.write("before, ");
  await until(() => by.length === 2, "the first connection");
  store.renew(identity(second), root.certPem);
  const next = local(port);
  next.end("new");
  t.is(await everything(next), "new");
  old.end("after");
  t.is(await echoed, "before, after");
  t.deepEqual(by, [
    `niac-directory ${serial(first)}`,
    `modbus.press-4 ${serial(first)}`,
    `modbus.press-4 ${serial(second)}`,
  ]);
  laptop.interrupt();
  await running;
  appliance.close();
});

test("machines: what this certificate may use, as a table and for programs", async (t) => {
  const appliance = await fakeAppliance(box, GOOD);
  const [laptop] = enrolled(t, appliance.via);
  await laptop.niac("machines");
  t.deepEqual(laptop.out, [
    `alice may use, at ${BOX}:`,
    "",
    "MACHINE  SERVICE  PROTOCOL    PORT  WHAT IT IS",
    "press-4  modbus   modbus-tcp  502   press",
    "press-4  panel    tcp         5900  press",
  ]);
  await laptop.niac("machines", "--json");
  t.deepEqual(JSON.parse(laptop.out.at(-1) ?? ""), DIRECTORY);
  appliance.close();
});

test("machines: nothing is permitted now", async (t) => {
  const appliance = await fakeAppliance(box, (socket) =>
    socket.end(JSON.stringify({ ...DIRECTORY, services: [] })),
  );
  const [laptop] = enrolled(t, appliance.via);
  await laptop.niac("machines");
  t.is(laptop.out[0], `alice may use no machine of ${BOX} now.`);
  appliance.close();
});

testWith("stunnel4")("stunnel does the same with what is printed for it", async (t) => {
  const [modbus, panel] = [await freePort(), await freePort()];
  const services = DIRECTORY.services.map((each, index) => ({ ...each, port: index === 0 ? modbus : panel }));
  const appliance = await fakeAppliance(box, (socket, protocol, name) => {
    if (protocol === "niac-directory") socket.end(JSON.stringify({ ...DIRECTORY, services }));
    else GOOD(socket, protocol, name);
  });
  const [laptop] = enrolled(t, appliance.via);
  await laptop.niac("connect", "all", "--print", "stunnel");
  const file = join(laptop.home, "niac.conf");
  // What it says at this level shows when it listens; the rest is as printed.
  writeFileSync(file, `debug = info\n${laptop.out.join("\n")}\n`);
  const child = spawn("stunnel4", [file], { stdio: ["ignore", "ignore", "pipe"] });
  t.teardown(() => end(child));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  await until(() => said.includes(`bound to 127.0.0.1:${panel}`), "stunnel");
  for (const [port, text] of [
    [modbus, "to the press"],
    [panel, "to its panel"],
  ] as const) {
    const socket = local(port);
    socket.end(text);
    t.is(await everything(socket), text, said);
  }
  t.deepEqual(appliance.seen.slice(1), [` modbus.press-4.${BOX}`, ` panel.press-4.${BOX}`]);
  appliance.close();
});

function serialOf(socket: TLSSocket): string {
  return socket.getPeerCertificate().serialNumber;
}
