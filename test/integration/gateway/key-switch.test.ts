import test from "ava";
import type { AuditRecord } from "../../../src/audit/index.ts";
import { gatewayMachines, gatewaySessions } from "../../../src/link/index.ts";
import { until } from "../../support/processes.ts";
import { pressSite } from "../../support/sites.ts";
import { PymodbusMachine, testWith } from "../../support/tools.ts";
import { goodReply, Machine, type Seen } from "../machine/rig.ts";
import { TrustBed } from "./trust-bed.ts";

const ILLEGAL_FUNCTION = 1;
const READS = "{ functions: readWrite, read: { holdingRegisters: all } }";
const KEYED = "when: { keySwitch: on }";

/** Everybody in maintenance reads; whoever writes needs the key. */
function keyedSite(port: number, machine = ""): string {
  return pressSite(port, {
    modbus: READS,
    machine,
    service: "maxConnections: 1, maxPending: 1, requestTimeout: 60s",
    grants: `  - name: writes-with-the-key
    reason: Remote writes only while somebody at the press allows it
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: { functions: [6], write: { holdingRegisters: [{ addresses: 0-99, maxChange: 1000 }] } } }
    ${KEYED}
  - name: writes-as-they-are
    reason: Registers for which no value decides
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: { functions: [6], write: { holdingRegisters: [100-199] } } }
    ${KEYED}`,
  });
}

function ofKind(kind: AuditRecord["kind"]) {
  return (record: AuditRecord): boolean => record.kind === kind;
}

function sent(machine: Machine): number[] {
  return machine.seen.filter(({ pdu }) => pdu[0] === 6).map(({ pdu }) => pdu.readUInt16BE(1));
}

testWith("pymodbus")(
  "off: a write is refused and never reaches the machine; on: it passes; off again: the next one is refused",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await TrustBed.start(t, { site: keyedSite(machine.port) });
    const alice = bed.appliance.root.client({ cn: "alice", ou: ["maintenance"] });
    const client = await bed.open(alice);
    t.is((await client.write(10, 11)).exception, ILLEGAL_FUNCTION, "nothing is known of the panel");
    t.is(await bed.turn(false), 0);
    t.is((await client.write(10, 12)).exception, ILLEGAL_FUNCTION);
    t.is((await client.write(110, 12)).exception, ILLEGAL_FUNCTION);
    t.deepEqual(await machine.written(), []);
    t.is(await bed.turn(true), 0);
    t.is((await client.write(10, 13)).exception, 0);
    t.is((await client.write(110, 14)).exception, 0);
    t.is(await bed.turn(false), 0);
    t.is((await client.write(10, 15)).exception, ILLEGAL_FUNCTION);
    t.is((await client.write(110, 15)).exception, ILLEGAL_FUNCTION);
    t.deepEqual(await machine.written(), [
      { address: 10, values: [13] },
      { address: 110, values: [14] },
    ]);
    t.is((await client.read(10)).exception, 0, "who may read without the key goes on reading");
    t.false(client.ended);

    const denials = await bed.recorded(
      5,
      ({ kind, decision }) => kind === "operation" && decision === "denial",
    );
    t.deepEqual(
      denials.map(({ stage, rule, exception, operation }) => [
        stage,
        rule,
        exception,
        operation?.writes?.values,
      ]),
      [
        ["when", "writes-with-the-key", ILLEGAL_FUNCTION, [11]],
        ["when", "writes-with-the-key", ILLEGAL_FUNCTION, [12]],
        ["when", "writes-as-they-are", ILLEGAL_FUNCTION, [12]],
        ["when", "writes-with-the-key", ILLEGAL_FUNCTION, [15]],
        ["when", "writes-as-they-are", ILLEGAL_FUNCTION, [15]],
      ],
    );
    t.regex(
      denials[0]?.reason ?? "",
      /only while the key switch at press-4's box is on; it is not known where/,
    );
    t.regex(denials[1]?.reason ?? "", /only while the key switch at press-4's box is on; the switch is off/);
    const outcomes = await bed.recorded(2, ofKind("outcome"));
    t.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ["ok", "ok"],
    );
  },
);

testWith("pymodbus")(
  "a session that only the key had opened ends when it is turned off, and is on record; a new one is refused until it is on again",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await TrustBed.start(t, { site: pressSite(machine.port, { grant: KEYED }) });
    const alice = bed.appliance.root.client({ cn: "alice", ou: ["maintenance"] });
    t.is(await bed.exceptionOf(alice), ILLEGAL_FUNCTION);
    await bed.turn(true);
    const [one, two] = [await bed.open(alice), await bed.open(alice)];
    for (const client of [one, two]) t.is((await client.read(10)).exception, 0);
    t.is(await bed.turn(true), 0, "nothing changed");
    t.is(await bed.turn(false), 2);
    await until(() => one.ended && two.ended, "both sessions to end");
    t.is(await bed.exceptionOf(alice), ILLEGAL_FUNCTION);
    await bed.turn(true);
    t.is(await bed.exceptionOf(alice), 0);
    const ends = await bed.recorded(2, ({ kind, stage }) => kind === "session.end" && stage === "when");
    t.is(ends.length, 2);
    for (const end of ends) t.like(end, { decision: "denial", rule: "maintenance-runs-press" });
    const refused = await bed.recorded(1, ofKind("session.refused"));
    t.like(refused[0], { stage: "when", identity: { user: "alice" } });
  },
);

/** Answers nothing until it is told to. */
async function slow(t: Parameters<typeof Machine.start>[0]) {
  const machine = await Machine.start(t);
  const held: Seen[] = [];
  machine.onRequest = (seen) => held.push(seen);
  const answer = (): void => {
    machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
    for (const seen of held.splice(0)) seen.socket.write(goodReply(seen));
  };
  return { machine, answer };
}

test("a write that waits for the machine is judged by the key as it stands when its turn comes", async (t) => {
  const { machine, answer } = await slow(t);
  const bed = await TrustBed.start(t, { site: keyedSite(machine.port) });
  const credential = bed.appliance.root.client({ cn: "alice", ou: ["maintenance"] });
  const [one, two] = [await bed.open(credential), await bed.open(credential)];
  await bed.turn(true);
  const sentAlready = one.write(101, 1);
  await machine.saw(1);
  const waiting = two.write(102, 2);
  await bed.recorded(2, ({ kind, decision }) => kind === "operation" && decision === "permit");
  const queued = async (): Promise<number> => (await bed.link.call(gatewayMachines, null))[0]?.queued ?? 0;
  await until(async () => (await queued()) === 1, "the second to stand in the machine's queue");
  await bed.turn(false);
  answer();
  t.is((await sentAlready).exception, 0, "what was sent is not called back");
  t.is((await waiting).exception, ILLEGAL_FUNCTION);
  t.deepEqual(sent(machine), [101]);
  const outcomes = await bed.recorded(2, ofKind("outcome"));
  t.deepEqual(outcomes.map(({ outcome, stage }) => `${outcome} ${stage}`).toSorted(), [
    "not-sent when",
    "ok undefined",
  ]);
  t.is((await two.read(5)).exception, 0, "the session goes on");
  await bed.turn(true);
  t.is((await two.write(103, 3)).exception, 0, "and nobody is left standing in its way");
  t.deepEqual(sent(machine), [101, 103]);
});

test("a write that waits for another to be done alone is judged by the key as it stands then", async (t) => {
  const { machine, answer } = await slow(t);
  const bed = await TrustBed.start(t, { site: keyedSite(machine.port) });
  const credential = bed.appliance.root.client({ cn: "alice", ou: ["maintenance"] });
  const [one, two, three] = [
    await bed.open(credential),
    await bed.open(credential),
    await bed.open(credential),
  ];
  await bed.turn(true);
  // The first runs alone from the look at the machine's value on, which is not answered yet; the others wait before their record.
  const alone = one.write(1, 1);
  await machine.saw(1);
  const behind = two.write(102, 2);
  const alsoAlone = three.write(3, 3);
  const underWay = async (): Promise<number> => {
    const sessions = await bed.link.call(gatewaySessions, null);
    return sessions.filter(({ bytesIn, bytesOut }) => bytesIn > 0 && bytesOut === 0).length;
  };
  await until(async () => (await underWay()) === 3, "all three to be under way");
  await bed.turn(false);
  answer();
  for (const write of [alone, behind, alsoAlone]) t.is((await write).exception, ILLEGAL_FUNCTION);
  t.deepEqual(sent(machine), []);
  await bed.turn(true);
  t.is((await one.write(1, 1)).exception, 0, "nobody is left standing in its way");
  t.is((await two.write(102, 2)).exception, 0);
  t.deepEqual(sent(machine), [1, 102]);
});

test("without control the key counts as not known at once, whatever whenUnrecorded lets go on", async (t) => {
  const machine = await Machine.start(t);
  const site = keyedSite(machine.port, "whenUnrecorded: allow").replace(
    "grants:\n",
    `grants:
  - name: writes-without-the-key
    reason: This one needs no key
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: { functions: [6], write: { holdingRegisters: [200] } } }
`,
  );
  const bed = await TrustBed.start(t, { site });
  const client = await bed.open(bed.appliance.root.client({ cn: "alice", ou: ["maintenance"] }));
  await bed.turn(true);
  t.is((await client.write(10, 1)).exception, 0);
  await bed.leave();
  t.is((await client.write(10, 2)).exception, ILLEGAL_FUNCTION);
  t.is(
    (await client.write(200, 3)).exception,
    0,
    "the machine may be used unrecorded, and this needs no key",
  );
  t.is((await client.read(10)).exception, 0);
  await bed.comeBack(false);
  t.is((await client.write(10, 4)).exception, ILLEGAL_FUNCTION);
  await bed.leave();
  await bed.comeBack(true);
  t.is((await client.write(10, 5)).exception, 0, "what attach answers is in force");
  t.deepEqual(sent(machine), [10, 200, 10]);
  const denials = await bed.recorded(2, ({ kind, stage }) => kind === "operation" && stage === "when");
  t.deepEqual(
    denials.map(({ operation, reason }) => [operation?.writes?.values, /; (.*)$/.exec(reason ?? "")?.[1]]),
    [
      [[2], "it is not known where the switch stands"],
      [[4], "the switch is off"],
    ],
  );
});
