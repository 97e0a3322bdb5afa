import { spawn, type ChildProcess } from "node:child_process";
import * as fc from "fast-check";
import type { ExecutionContext } from "ava";
import { planOf, type Forward, type Plan } from "../../../src/isolation/plan.ts";
import { rulesetOf } from "../../../src/isolation/ruleset.ts";
import { end, until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";
import { cases, planNamed, planOfText, PORTS } from "../../vectors/isolation/cases.ts";
import { ip, listing, load, namespace, NFT, runIn } from "./kernel-bed.ts";

const testRoot = testWith("root", "ip", NFT);

for (const { name, plan } of cases) {
  testRoot(`ruleset of ${name}: the kernel takes it`, async (t) => {
    const where = namespace(t);
    const checked = runIn(where, [NFT, "-c", "-f", "-"], rulesetOf(plan));
    t.deepEqual(checked, { code: 0, out: "", err: "" });
    t.is(listing(where), "", "a check changes nothing");
    t.deepEqual(load(where, rulesetOf(plan)), { code: 0, out: "", err: "" });
    t.true(listing(where).includes("table inet niac {"));
  });
}

testRoot(
  "after any ruleset, another leaves nothing of it: what is in force is as on a fresh system",
  async (t) => {
    const alone = new Map(
      cases.map(({ name, plan }) => {
        const where = namespace(t);
        load(where, rulesetOf(plan));
        return [name, listing(where)];
      }),
    );
    const where = namespace(t);
    for (const before of cases) {
      for (const after of cases) {
        load(where, rulesetOf(before.plan));
        load(where, rulesetOf(after.plan));
        t.is(listing(where), alone.get(after.name) ?? "", `${before.name}, then ${after.name}`);
      }
    }
  },
);

testRoot("a ruleset the kernel refuses at its end leaves the one of before whole", async (t) => {
  const where = namespace(t);
  load(where, rulesetOf(planNamed("inline")));
  const before = listing(where);
  const other = planNamed("routed");
  const text = rulesetOf(other);
  const broken = [
    `${text}nonsense\n`,
    `${text}add rule inet niac input goto nowhere\n`,
    text.replace("type filter hook forward", "type filter hook sideways"),
    rulesetOf({ ...other, timeServers: ["10.20.0.4", "ten"] }),
  ];
  for (const one of broken) {
    const { code, err } = load(where, one);
    t.not(code, 0);
    t.regex(err, /Error/);
    t.is(listing(where), before);
  }
});

const octet = fc.integer({ min: 1, max: 254 });
/** Of few, so that the same come up again and again. */
const address = fc
  .tuple(fc.constantFrom("10.20.0", "10.30.0"), fc.constantFrom(1, 2, 3, 77), octet)
  .map(([network, few, any]) => `${network}.${any % 2 === 0 ? few : any}`);
const mac = octet.map((last) => `00:1b:1b:00:00:${last.toString(16).padStart(2, "0")}`);
const port = fc.oneof(fc.constantFrom(1, 53, 502, 65_535), fc.integer({ min: 1, max: 65_535 }));
const place = fc.record({ address, port });
const forward: fc.Arbitrary<Forward> = fc
  .record({
    from: address,
    to: address,
    transport: fc.constantFrom("tcp" as const, "udp" as const),
    ports: fc.tuple(port, port),
    masked: fc.boolean(),
  })
  .map(({ ports: [a, b], ...rest }) => ({
    ...rest,
    machine: "m",
    destination: "d",
    start: Math.min(a, b),
    end: Math.max(a, b),
  }));

function unique<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.uniqueArray(arbitrary, { maxLength: 12, selector: (one) => JSON.stringify(one) });
}

const anyPlan: fc.Arbitrary<Plan> = fc
  .record({
    refusal: fc.constantFrom("reset" as const, "silent" as const),
    dhcp: fc.option(fc.boolean()),
    ownAddress: fc.boolean(),
    services: fc.uniqueArray(port, { maxLength: 3 }),
    stations: fc.uniqueArray(fc.record({ address, mac, ping: fc.boolean() }), {
      maxLength: 12,
      comparator: (a, b) => a.address === b.address || a.mac === b.mac,
    }),
    secured: unique(place),
    answered: unique(place),
    unauthenticated: unique(fc.record({ mac, source: address, address, port })),
    forwards: fc.array(forward, { maxLength: 30 }),
    taken: unique(fc.record({ from: address, to: address, port })),
    outward: unique(fc.record({ address: fc.option(address), port })),
    nameServers: unique(address),
    timeServers: unique(address),
  })
  .map(({ dhcp, ownAddress, services, stations, ...rest }) => ({
    ...planOf(null, { ...PORTS, services, ...(ownAddress ? {} : { address: null }) }),
    ...rest,
    device: dhcp === null ? null : { address: "10.30.0.254", prefix: 24, dhcp },
    stations: stations.map((one, i) => ({ ...one, name: `m${i}`, standIn: `198.18.1.${i + 1}` })),
  }));

testRoot("whatever a plan holds, ways that overlap included, the kernel takes its ruleset", async (t) => {
  const where = namespace(t);
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const { code, err } = load(where, rulesetOf(plan));
      if (code !== 0) throw new Error(err);
    }),
    { numRuns: 60 },
  );
  t.true(listing(where).includes("table inet niac {"));
});

const PEER = planOfText(`
niac: 1
site: { name: Hall 2, appliance: box.example, timeZone: UTC }
network: { mode: inline }
machines:
  press-4: { address: 10.20.0.50, mac: 00:1b:1b:00:00:04, services: { modbus: { protocol: modbus-tcp, address: "10.20.0.60:502" } } }
`);

/** Listens on Modbus' port, and sends on what comes on its standard input. */
const SERVER = `require("node:net").createServer((socket) => {
  console.log("open");
  process.stdin.pipe(socket);
}).listen(502, () => console.log("ready"));`;
const CLIENT = `require("node:net").connect(502, "10.20.0.60").pipe(process.stdout);`;

/** Runs a program of Node's in a namespace until the test ends. */
function started(
  t: ExecutionContext,
  where: string,
  program: string,
): { child: ChildProcess; said: () => string } {
  const child = spawn("ip", ["netns", "exec", where, process.execPath, "-e", program]);
  t.teardown(() => end(child, "SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  return { child, said: () => said };
}

testRoot(
  "what the appliance's peer sends after a new ruleset, and before the appliance itself speaks, arrives",
  async (t) => {
    const [box, host] = [namespace(t), namespace(t)];
    ip(
      box,
      `link add uplink type veth peer name eth0 netns ${host}`,
      "addr add 10.20.0.100/24 dev uplink",
      "link set uplink up",
    );
    ip(host, "addr add 10.20.0.60/24 dev eth0", "link set eth0 up");
    t.is(load(box, rulesetOf(PEER)).code, 0);
    const server = started(t, host, SERVER);
    await until(() => server.said().includes("ready"), "the listener");
    const client = started(t, box, CLIENT);
    await until(() => server.said().includes("open"), "the connection");

    t.is(load(box, rulesetOf(PEER)).code, 0);
    server.child.stdin?.write("an answer");
    await until(() => client.said() !== "", "the answer");
    t.is(client.said(), "an answer");
  },
);
