/** A process that guards its memory, says how that went, and then does what it is told; run by guard.test.ts. */
import { spawnSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { guardMemory } from "../../../src/appliance/index.ts";
import { loadNative } from "../../../src/native/index.ts";

const [, , how = "", then = ""] = process.argv;
const loaded = loadNative();
const addon = "native" in loaded ? loaded.native : null;

/** Bytes that a test looks for in what a crash leaves; put together here, so that no source text has them. */
const held = Buffer.from(Array.from({ length: 64 }, (_, index) => (index * 37 + 11) & 0xff));

const status = (name: string): number =>
  Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]);

function guard(): unknown {
  if (how === "unguarded") return null;
  return guardMemory(how === "addon" ? addon : null);
}

const before = status("VmRSS");
const guarded = guard();
const report = { guarded, held: held.length, grown: status("VmRSS") - before, locked: status("VmLck") };

if (then === "abort") {
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.abort());
} else if (then === "user") {
  // As the gateway runs: a common user. After this its files under /proc are root's.
  process.setgroups?.([]);
  process.setgid?.(65_534);
  process.setuid?.(65_534);
  const after = guardMemory(addon);
  const worker = new Worker("require('node:worker_threads').parentPort.postMessage(1)", { eval: true });
  const heard = await new Promise((resolve) => worker.once("message", resolve));
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  createPrivateKey(key.export({ type: "pkcs8", format: "pem" }));
  const works = {
    memory: process.memoryUsage().rss > 0 && process.resourceUsage().maxRSS > 0,
    descriptors: readdirSync("/proc/self/fd").length > 0,
    program: readlinkSync("/proc/self/exe") !== "",
    child: spawnSync("/bin/true").status,
    signal: process.kill(process.pid, 0),
    worker: heard,
    own: readFileSync("/proc/self/maps").length > 0,
  };
  // Another process of the same user looks at this one's memory.
  const other = spawnSync("/bin/cat", [`/proc/${process.pid}/environ`]).status;
  process.stdout.write(`${JSON.stringify({ dumps: after.dumps, works, other })}\n`);
} else {
  process.stdout.write(`${JSON.stringify(report)}\n`);
  // Until standard input ends, which it does with the test at the latest.
  if (then === "wait") process.stdin.resume();
}
