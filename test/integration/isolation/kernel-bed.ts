/** Network namespaces for the tests of what the kernel is told: made for one test, removed with it. */
import { execFileSync, spawnSync } from "node:child_process";
import type { ExecutionContext } from "ava";

/** With its path: ava brings a program of the same name, which comes first on PATH. */
export const NFT = "/usr/sbin/nft";

let made = 0;

/** A network namespace until the test ends, its loopback interface up; its name. */
export function namespace(t: ExecutionContext): string {
  const name = `niac-k-${process.pid}-${++made}`;
  execFileSync("ip", ["netns", "add", name]);
  t.teardown(() => void execFileSync("ip", ["netns", "del", name]));
  ip(name, "link set lo up");
  return name;
}

/** Lines for ip, in a namespace; throws where one fails. */
export function ip(where: string, ...lines: string[]): void {
  execFileSync("ip", ["-n", where, "-batch", "-"], { input: lines.join("\n") });
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in a namespace to its end, whatever its exit code. */
export function runIn(where: string, command: readonly string[], input = ""): Ended {
  const { status, stdout, stderr } = spawnSync("ip", ["netns", "exec", where, ...command], {
    input,
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 2 ** 26,
  });
  return { code: status, out: stdout, err: stderr };
}

/** Puts a ruleset in force in a namespace, or says why not. */
export function load(where: string, text: string): Ended {
  return runIn(where, [NFT, "-f", "-"], text);
}

/** What is in force in a namespace, table by table in the order of their names, without what traffic has counted. */
export function listing(where: string): string {
  const tables = runIn(where, [NFT, "list", "tables"])
    .out.split("\n")
    .filter((line) => line !== "");
  const texts = tables.toSorted().map((table) => runIn(where, [NFT, "-s", "list", ...table.split(" ")]).out);
  return texts.join("");
}
