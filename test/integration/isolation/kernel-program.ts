/**
 * What kernel.test.ts runs in a network namespace of its own, with two ports, `uplink` and `device`: `node kernel-program.ts
 * SCENARIO` prints what came of it as JSON.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { messageOf } from "../../../src/base/index.ts";
import { Cable } from "../../../src/isolation/cable.ts";
import { forget, listTracked, type Tracked } from "../../../src/isolation/conntrack.ts";
import { readCounters } from "../../../src/isolation/counters.ts";
import { applyLayout, applyRuleset, checkRuleset, hasRuleset } from "../../../src/isolation/kernel.ts";
import { switchesOf } from "../../../src/isolation/layout.ts";
import type { Plan } from "../../../src/isolation/plan.ts";
import { run } from "../../../src/isolation/tools.ts";
import { parseSite, type Snapshot } from "../../../src/site/index.ts";
import { planNamed, PORTS } from "../../vectors/isolation/cases.ts";

const inline = planNamed("inline");
const routed = planNamed("routed");
const IMAGE = readFileSync(new URL("../../../image/niac.nft", import.meta.url), "utf8");

function ip(...words: string[]): string {
  return execFileSync("ip", words, { encoding: "utf8" });
}

interface Held {
  readonly addresses: string[];
  readonly routes: string[];
  readonly neighbours: string[];
  readonly proxied: string[];
  readonly rules: string[];
}

function lines(...words: string[]): string[] {
  const found = ip("-o", "-4", ...words).split("\n");
  return found
    .map((line) => line.replace(/\\.*$/, "").replace("\t", " ").trim())
    .filter((line) => line !== "")
    .toSorted();
}

/** Addresses, routes, neighbours and rules as the kernel has them, without the routes it makes for each address. */
function held(): Held {
  return {
    addresses: lines("addr", "show"),
    routes: lines("route", "show", "table", "all").filter((line) => !line.includes("table local")),
    neighbours: lines("neigh", "show", "nud", "permanent"),
    proxied: lines("neigh", "show", "proxy"),
    rules: lines("rule", "show"),
  };
}

function onDevice(addresses: readonly string[]): string[] {
  return addresses.flatMap((line) => /inet (\S+) .* device$/.exec(line)?.[1] ?? []);
}

function toMachine({ routes }: Held): string[] {
  return routes.filter((line) => line.includes("dev device"));
}

async function inForce(plan: Plan): Promise<Held> {
  await applyRuleset(plan);
  await applyLayout(plan);
  return held();
}

function rulesetInForce(): string {
  return execFileSync("/usr/sbin/nft", ["-s", "list", "ruleset"], { encoding: "utf8" });
}

function snapshotNamed(name: string): Snapshot {
  const text = readFileSync(new URL(`../../vectors/isolation/${name}.yaml`, import.meta.url), "utf8");
  const { snapshot } = parseSite(text, name);
  if (snapshot === null) throw new Error(`${name} is wrong`);
  return snapshot;
}

/** Puts a connection into the table, as if it were open. */
function insert(transport: "tcp" | "udp", from: string, to: string, port: number): void {
  const state = transport === "tcp" ? ["--state", "ESTABLISHED"] : [];
  execFileSync(
    "conntrack",
    [
      "-I",
      "-p",
      transport,
      "-s",
      from,
      "-d",
      to,
      "--sport",
      "50000",
      "--dport",
      String(port),
      "-t",
      "600",
      ...state,
    ],
    { stdio: "ignore" },
  );
}

function named(connections: readonly Tracked[]): string[] {
  return connections
    .map(({ transport, from, to, toPort }) => `${transport} ${from} ${to} ${toPort}`)
    .toSorted();
}

async function refusal(done: Promise<unknown>): Promise<string> {
  try {
    await done;
    return "";
  } catch (error) {
    return messageOf(error);
  }
}

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  async twice() {
    const first = await inForce(inline);
    return { first, second: await inForce(inline) };
  },
  async gone() {
    await inForce(inline);
    const [, ...rest] = inline.stations;
    return inForce({ ...inline, stations: rest });
  },
  async modes() {
    await inForce(inline);
    const { addresses, proxied } = await inForce(routed);
    const again = await inForce(inline);
    const stay = routed.stations.map(({ standIn }) => standIn);
    const left = again.addresses.filter((line) => !stay.some((one) => line.includes(one)));
    return { proxied, device: onDevice(addresses), again: { ...again, addresses: left } };
  },
  async moved() {
    await inForce(inline);
    const ports = { ...PORTS, address: { address: "10.20.0.101", prefix: 24 } };
    const uplink = await inForce({ ...inline, ports });
    await inForce(routed);
    const { addresses, neighbours } = await inForce({
      ...routed,
      device: { address: "192.168.77.2", prefix: 24, dhcp: false },
    });
    return { uplink, device: { addresses: onDevice(addresses), neighbours } };
  },
  async given() {
    const silent = planNamed("silent");
    ip("addr", "add", "10.20.0.123/24", "dev", "uplink");
    const first = await inForce(silent);
    ip("addr", "del", "10.20.0.123/24", "dev", "uplink");
    ip("addr", "add", "10.20.0.124/24", "dev", "uplink");
    const second = await inForce(silent);
    return { first: toMachine(first), second: toMachine(second), proxied: second.proxied };
  },
  async flap() {
    await inForce(inline);
    for (const port of ["uplink", "device"]) ip("link", "set", port, "down");
    const down = held().routes;
    return { down, up: await inForce(inline) };
  },
  async switches() {
    await applyLayout(inline);
    const wrong = switchesOf(inline).filter(
      ([path, value]) => readFileSync(`/proc/sys/net/${path}`, "utf8").trim() !== value,
    );
    await applyLayout(planNamed("closed"));
    return { wrong, closed: readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() };
  },
  async refused() {
    await applyRuleset(inline);
    const before = rulesetInForce();
    const bad = { ...routed, timeServers: ["ten"] };
    const problems = [
      await refusal(applyRuleset(bad)),
      await refusal(checkRuleset(bad)),
      await refusal(run("nft", ["-f", "-"], "nonsense\n")),
    ];
    await checkRuleset(routed);
    return { problems, same: rulesetInForce() === before };
  },
  async boot() {
    const none = await hasRuleset();
    await run("nft", ["-f", "-"], IMAGE);
    const image = { has: await hasRuleset(), counters: await readCounters() };
    await applyRuleset(planNamed("nothing"));
    return { none, image, own: await hasRuleset() };
  },
  async counters() {
    await inForce(inline);
    const before = await readCounters();
    // The gateway, or what it has become, to somewhere the document does not name.
    for (let i = 0; i < 3; i++)
      execFileSync("sh", ["-c", "ping -c 1 -W 1 10.20.0.77 || true"], { stdio: "ignore" });
    return { before, after: await readCounters() };
  },
  async cable() {
    const cable = new Cable(PORTS);
    const good = snapshotNamed("inline");
    const problem = await cable.apply(good);
    const before = { ruleset: rulesetInForce(), held: held() };
    const bad: Snapshot = { ...good, machines: good.machines.map((one) => ({ ...one, address: "ten" })) };
    const said = [await cable.check(bad), await cable.apply(bad)];
    const same =
      rulesetInForce() === before.ruleset && JSON.stringify(held()) === JSON.stringify(before.held);
    return {
      problem,
      settled: cable.problem,
      said,
      same,
      kept: cable.snapshot === good,
      check: await cable.check(good),
    };
  },
  async cut() {
    const cable = new Cable(PORTS);
    const good = snapshotNamed("inline");
    await cable.apply(good);
    insert("tcp", "10.20.0.50", "10.30.0.7", 1433);
    insert("tcp", "10.20.0.51", "10.30.0.8", 50_000);
    insert("tcp", "10.20.0.50", "10.30.0.9", 53);
    insert("udp", "10.20.0.50", "10.20.0.4", 123);
    insert("tcp", "198.18.0.1", "10.20.0.60", 502);
    const before = named(await listTracked());
    const destinations = good.destinations.filter(({ name }) => name !== "historian");
    await cable.apply({ ...good, destinations });
    const after = named(await listTracked());
    await forget(await listTracked());
    return { before, after, forgotten: named(await listTracked()) };
  },
  async missing() {
    ip("link", "del", "device");
    const cable = new Cable(PORTS);
    const said = await cable.apply(snapshotNamed("inline"));
    const { problem } = cable;
    ip("link", "add", "device", "type", "veth", "peer", "name", "other");
    await cable.repair();
    return { said, problem, repaired: cable.problem, neighbours: held().neighbours };
  },
};

const scenario = scenarios[process.argv[2] ?? ""];
if (!scenario) throw new Error(`no scenario ${process.argv[2]}`);
// By a file: what a tool prints on standard output is not meant.
writeFileSync(1, JSON.stringify(await scenario()));
