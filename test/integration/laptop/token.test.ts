import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";
import { NiacError } from "../../../src/base/index.ts";
import { certificatePem, readRequest } from "../../../src/x509/index.ts";
import { freePort } from "../../support/ports.ts";
import { Pki } from "../../support/pki.ts";
import { end, over, until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";
import { BOX, DIRECTORY, fakeAppliance, GOOD, type Behaviour, type FakeAppliance } from "./fake-appliance.ts";
import { FakeBox } from "./fake-box.ts";
import { Laptop } from "./laptop.ts";
import { everything, local } from "./running.ts";

const MODULE = "/usr/lib/softhsm/libsofthsm2.so";
const PIN = "4711-secret";
const LAPTOP = fileURLToPath(new URL("../../../src/laptop-main.ts", import.meta.url));
const TOOLS = ["softhsm2-util", "pkcs11-tool", "openssl"] as const;

interface Bed {
  readonly box: FakeBox;
  readonly laptop: Laptop;
  readonly enroll: readonly string[];
}

/** A laptop with an empty token "card 1". */
async function bed(t: ExecutionContext): Promise<Bed> {
  const box = await FakeBox.start(t);
  const laptop = new Laptop(t);
  const dir = mkdtempSync(join(tmpdir(), "niac-token-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "tokens"));
  const config = join(dir, "softhsm2.conf");
  writeFileSync(config, `directories.tokendir = ${join(dir, "tokens")}\nlog.level = ERROR\n`);
  const environment = { ...process.env, SOFTHSM2_CONF: config };
  const made = ["--init-token", "--free", "--label", "card 1", "--pin", PIN, "--so-pin", "12345678"];
  execFileSync("softhsm2-util", made, { env: environment, stdio: "ignore" });
  Object.assign(laptop.environment, { SOFTHSM2_CONF: config, NIAC_CODE: "AB12", NIAC_PIN: PIN });
  const fingerprint = createHash("sha256").update(box.root).digest("hex");
  return {
    box,
    laptop,
    enroll: [box.url, "--fingerprint", fingerprint, "--user", "alice", "--pkcs11", MODULE],
  };
}

async function failure(running: Promise<void>): Promise<NiacError> {
  try {
    await running;
  } catch (error) {
    if (error instanceof NiacError) return error;
    throw error;
  }
  throw new Error("the command ended without an error");
}

/** The keys in the token. */
function keys(laptop: Laptop): string[] {
  const out = execFileSync(
    "pkcs11-tool",
    ["--module", MODULE, "--token-label", "card 1", "--login", "--pin", "env:NIAC_PIN", "--list-objects"],
    { env: { ...process.env, ...laptop.environment }, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  return [...out.matchAll(/^(Private|Public) Key Object/gm)].map((match) => match[1] ?? "").toSorted();
}

/** An appliance that takes the fake box's laptops. */
async function appliance(
  t: ExecutionContext,
  { box, laptop }: Bed,
  behaviour: Behaviour = GOOD,
): Promise<[FakeAppliance, string[]]> {
  const pki = Pki.create();
  t.teardown(() => pki.remove());
  const root = pki.root("Plant Root");
  const started = await fakeAppliance(root.server({ dns: [BOX], ip: ["127.0.0.1"] }), behaviour, {
    ca: certificatePem(box.root),
  });
  t.teardown(() => started.close());
  const ca = join(laptop.home, "appliance-ca.pem");
  writeFileSync(ca, root.certPem);
  return [started, ["--via", started.via, "--ca", ca]];
}

testWith(...TOOLS)("the key is made in the token, and only the certificate is kept on disk", async (t) => {
  const { box, laptop, enroll } = await bed(t);
  await laptop.niac("enroll", ...enroll, "--token", "card 1");
  const identity = readFileSync(join(laptop.profiles, "default", "identity.pem"), "utf8");
  t.notRegex(identity, /PRIVATE KEY/);
  t.is(identity.match(/BEGIN CERTIFICATE/g)?.length, 2);
  t.deepEqual(keys(laptop), ["Private", "Public"]);
  const written = readdirSync(laptop.home, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(pem|json)$/.test(name),
  );
  for (const name of written) t.false(readFileSync(join(laptop.home, name), "utf8").includes(PIN), name);
  t.false([...laptop.out, ...laptop.err].join("\n").includes(PIN));
  t.is(readRequest(box.asked[0]?.request ?? Buffer.of()).keyAlgorithm, "p256");
});

testWith(...TOOLS)("machines and connect work with the token, bytes of every kind included", async (t) => {
  const here = await bed(t);
  const { laptop, enroll } = here;
  await laptop.niac("enroll", ...enroll);
  const shown: string[] = [];
  const [fake, place] = await appliance(t, here, (socket, protocol, name) => {
    shown.push(socket.getPeerCertificate().subject.CN);
    GOOD(socket, protocol, name);
  });
  await laptop.niac("machines", ...place);
  t.true(laptop.out.includes("press-4  modbus   modbus-tcp  502   press"));
  const running = laptop.niac("connect", "press-4/modbus", ...place);
  const row = await laptop.line(/^press-4 +modbus +modbus-tcp +127/);
  const socket = local(Number(/ 127\.0\.0\.1:(\d+) /.exec(row)?.[1]));
  // Letters that s_client would take for commands at a terminal come first.
  const bytes = Buffer.concat([
    Buffer.from("Q\nR\nK\n"),
    Buffer.from(Array.from({ length: 60_000 }, (_, at) => at % 256)),
  ]);
  const back = new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length >= bytes.length) resolve(all);
    });
  });
  socket.write(bytes);
  t.true((await back).equals(bytes));
  socket.destroy();
  await laptop.line(/connection 1 closed/);
  t.deepEqual(fake.seen.slice(-2), ["niac-directory ", `modbus.press-4 modbus.press-4.${BOX}`]);
  t.deepEqual(
    [...new Set(shown)],
    ["alice"],
    "and the authority beneath the root came along: only the root is known here",
  );
  laptop.interrupt();
  await running;
});

testWith(...TOOLS)("a renewal goes through the token, which keeps its key", async (t) => {
  const { box, laptop, enroll } = await bed(t);
  await laptop.niac("enroll", ...enroll);
  await laptop.niac("renew", "--now");
  t.deepEqual(
    box.asked.map(({ path, by }) => [path, by]),
    [
      ["/.well-known/est/simpleenroll", null],
      ["/.well-known/est/simplereenroll", "alice"],
    ],
  );
  const [first, second] = box.asked.map(({ request }) => readRequest(request ?? Buffer.of()).publicKeyInfo);
  t.deepEqual(second, first);
});

testWith(...TOOLS)(
  "wrong PIN, unknown token, a request that is refused: each told, and no key left over",
  async (t) => {
    const { box, laptop, enroll } = await bed(t);
    laptop.environment["NIAC_PIN"] = "0000";
    t.is((await failure(laptop.niac("enroll", ...enroll))).code, "token-pin-wrong");
    laptop.environment["NIAC_PIN"] = PIN;
    const unknown = await failure(laptop.niac("enroll", ...enroll, "--token", "card 2"));
    t.is(unknown.advice, "There are: card 1. Say which with --token.");
    box.answer = () => ({ status: 403, text: "no" });
    t.is((await failure(laptop.niac("enroll", ...enroll))).code, "est-refused");
    t.deepEqual(keys(laptop), []);
  },
);

testWith(...TOOLS)("by the token too a stranger's box is refused, and so is one that is away", async (t) => {
  const here = await bed(t);
  const { laptop, enroll } = here;
  await laptop.niac("enroll", ...enroll);
  const [fake] = await appliance(t, here);
  const own = join(laptop.profiles, "default", "ca.pem");
  const stranger = await failure(laptop.niac("machines", "--via", fake.via, "--ca", own));
  t.is(stranger.code, "appliance-untrusted");
  t.deepEqual(fake.seen, []);
  const away = await failure(laptop.niac("machines", "--via", "127.0.0.1:1", "--ca", own));
  t.is(away.message, "127.0.0.1:1 cannot be reached (ECONNREFUSED)");
});

testWith(...TOOLS)("a tool that is missing is named, with what installs it", async (t) => {
  const { laptop, enroll } = await bed(t);
  laptop.environment["PATH"] = "/nonexistent";
  const error = await failure(laptop.niac("enroll", ...enroll));
  t.is(error.code, "token-tools");
  t.regex(error.message, /^pkcs11-tool cannot be run \(ENOENT\)/);
});

testWith(...TOOLS)("where a tool is missing, the command says so and ends", async (t) => {
  const { laptop, enroll } = await bed(t);
  const child = spawn(process.execPath, [LAPTOP, "enroll", ...enroll], {
    env: { ...laptop.environment, HOME: laptop.home, PATH: "/nonexistent" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.teardown(() => end(child, "SIGKILL"));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  await until(() => over(child), "niac enroll to end");
  t.is(child.exitCode, 2);
  t.regex(said, /^pkcs11-tool cannot be run \(ENOENT\)[^\n]*\nInstall it/);
});

testWith(...TOOLS, "stunnel4")("stunnel uses the key in the token with what is printed for it", async (t) => {
  const here = await bed(t);
  const { laptop, enroll } = here;
  await laptop.niac("enroll", ...enroll);
  const port = await freePort();
  const services = [{ ...DIRECTORY.services[0], port }];
  const [, place] = await appliance(t, here, (socket, protocol, name) => {
    if (protocol === "niac-directory") socket.end(JSON.stringify({ ...DIRECTORY, services }));
    else GOOD(socket, protocol, name);
  });
  laptop.out.length = 0;
  await laptop.niac("connect", "all", ...place, "--print", "stunnel");
  const file = join(laptop.home, "niac.conf");
  // A person types the PIN when stunnel asks; here nobody does.
  const text = laptop.out
    .join("\n")
    .replace("engineCtrl = INIT", `engineCtrl = PIN:${PIN}\nengineCtrl = INIT`);
  writeFileSync(file, `debug = info\n${text}\n`);
  const child = spawn("stunnel4", [file], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...laptop.environment },
  });
  t.teardown(() => end(child));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (words: string) => (said += words));
  await until(() => said.includes(`bound to 127.0.0.1:${port}`) || over(child), "stunnel");
  const socket = local(port);
  socket.end("by the token's key");
  t.is(await everything(socket), "by the token's key", said);
});
