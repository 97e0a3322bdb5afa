import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { NIAC_VERSION } from "../../src/base/index.ts";
import { BOX, fakeAppliance, GOOD } from "../integration/laptop/fake-appliance.ts";
import { FakeBox } from "../integration/laptop/fake-box.ts";
import { everything, local } from "../integration/laptop/running.ts";
import { Pki } from "../support/pki.ts";
import { end, until } from "../support/processes.ts";

const SCRIPT = new URL("../../scripts/laptop-bundle", import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), "niac-bundle-"));
const bundle = join(dir, "niac-laptop.mjs");
const pki = Pki.create();
const root = pki.root("Plant Root");

test.before(() => {
  const built = spawnSync(process.execPath, [SCRIPT, bundle], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
});

test.after.always(() => {
  pki.remove();
  rmSync(dir, { recursive: true, force: true });
});

/** This Node, and the system's where it is another one that a laptop may have. */
const nodes = [process.execPath, ...["/usr/bin/node", "/usr/local/bin/node"].filter(olderNode)];

function olderNode(path: string): boolean {
  if (!existsSync(path)) return false;
  const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.trim();
  const [major = 0, minor = 0] = version.replace("v", "").split(".").map(Number);
  return version !== process.version && (major > 20 || (major === 20 && minor >= 19));
}

interface Laptop {
  readonly node: string;
  readonly environment: Record<string, string>;
  readonly home: string;
}

function laptop(t: ExecutionContext, node: string): Laptop {
  const home = mkdtempSync(join(dir, "home-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  return {
    node,
    home,
    environment: { HOME: home, XDG_CONFIG_HOME: join(home, "config"), PATH: "/usr/bin:/bin" },
  };
}

function run(
  { node, environment, home }: Laptop,
  ...args: string[]
): Promise<{ code: number | null; out: string }> {
  const child = spawn(node, [bundle, ...args], {
    cwd: home,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (out += text));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out })));
}

for (const node of nodes) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();

  test(`one file is enough: help and version, Node ${version}`, async (t) => {
    const here = laptop(t, node);
    const help = await run(here, "--help");
    t.is(help.code, 0);
    for (const command of ["enroll", "renew", "machines", "connect"])
      t.true(help.out.includes(`  ${command} `), command);
    t.deepEqual(await run(here, "--version"), { code: 0, out: `${NIAC_VERSION}\n` });
    const wrong = await run(here, "machines");
    t.is(wrong.code, 2);
    t.regex(wrong.out, /niac enroll https:\/\/<box>/);
  });

  test(`it enrols and renews, Node ${version}`, async (t) => {
    const box = await FakeBox.start(t);
    const here = laptop(t, node);
    here.environment["NIAC_CODE"] = "AB12";
    const fingerprint = createHash("sha256").update(box.root).digest("hex");
    const enrolled = await run(
      here,
      "enroll",
      box.url,
      "--fingerprint",
      fingerprint,
      "--user",
      "alice",
      "--device",
      "laptop-7",
    );
    t.is(enrolled.code, 0, enrolled.out);
    const identity = join(here.home, "config", "niac", "default", "identity.pem");
    const first = readFileSync(identity, "utf8");
    const renewed = await run(here, "renew", "--now");
    t.is(renewed.code, 0, renewed.out);
    t.not(readFileSync(identity, "utf8"), first);
  });

  test(`it connects, Node ${version}`, async (t) => {
    const alice = root.client({ cn: "alice" });
    const appliance = await fakeAppliance(root.server({ dns: [BOX], ip: ["127.0.0.1"] }), GOOD);
    t.teardown(() => appliance.close());
    const here = laptop(t, node);
    const files = ["--certificate", alice.chain, "--key", alice.key, "--ca", root.credential.cert];
    const child = spawn(node, [bundle, "connect", "press-4/modbus", "--via", appliance.via, ...files], {
      env: here.environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.teardown(() => end(child));
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    await until(() => / 127\.0\.0\.1:(\d+) /.test(out), "the local port");
    const socket = local(Number(/ 127\.0\.0\.1:(\d+) /.exec(out)?.[1]));
    socket.end("through the bundle");
    t.is(await everything(socket), "through the bundle");
    await end(child, "SIGINT");
    t.is(child.exitCode, 0);
  });
}
