/** The kernel takes the filters, and runs them as the unit tests' own interpreter does. */
import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { loadNative } from "../../../src/native/index.ts";
import { testWith } from "../../support/tools.ts";

const run = promisify(execFile);
const loaded = loadNative();
const title = "in the kernel, too, the filters leave out plain IPv4 of known stations and nothing else";

const REFUSED = ["broadcast", "multicast", "arp", "lldp", "stp", "short", "tagged", "double", "taggedArp"];
const ALL = [
  "known",
  "unknown",
  "broadcast",
  "multicast",
  "arp",
  "lldp",
  "stp",
  "short",
  "priority",
  "tagged",
  "double",
  "taggedArp",
];

if ("native" in loaded) {
  testWith("root", "ip")(title, async (t) => {
    const namespace = `niac-f-${process.pid}`;
    execFileSync("ip", ["netns", "add", namespace]);
    t.teardown(() => void execFileSync("ip", ["netns", "del", namespace]));
    const program = new URL("filter-child.ts", import.meta.url).pathname;
    const { stdout } = await run("ip", ["netns", "exec", namespace, process.execPath, program, "all"]);
    t.deepEqual(JSON.parse(stdout), {
      one: ["unknown", ...REFUSED],
      most: ["unknown", ...REFUSED],
      others: ALL,
      none: ALL,
      uplink: ["arp"],
    });
  });
} else {
  test.skip(`${title} (${loaded.problem})`, (t) => t.fail());
}
