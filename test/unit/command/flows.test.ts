import test from "ava";
import { flowLines, type Flows } from "../../../src/command/flows.ts";
import type { SessionView } from "../../../src/link/index.ts";

const NOW = 1_780_000_000_000;
const NOTHING: Flows = { forwarded: [], refused: [], sessions: [], unauthenticated: 0 };

function session(more: Partial<SessionView>): SessionView {
  return {
    id: "s1",
    kind: "certificate",
    user: "alice",
    device: null,
    source: "10.20.0.50:40000",
    machine: "press",
    destination: null,
    service: "modbus",
    grants: ["g"],
    started: NOW - 5_000,
    lastActive: NOW,
    reads: 0,
    writes: 0,
    denials: 0,
    bytesIn: 1_200,
    bytesOut: 12,
    ...more,
  };
}

test("where nothing passes, that is said", (t) => {
  t.deepEqual(flowLines(NOTHING, NOW), ["Nothing passes."]);
});

test("each way of passing has its word", (t) => {
  const sessions = [
    session({}),
    session({ kind: "source", user: "scada-1" }),
    session({ kind: "machine", user: "hmi", machine: "hmi", destination: "plc-12" }),
    session({ kind: "machine", user: "hmi", machine: "hmi", destination: "broker", service: "tcp" }),
  ];
  const forward = {
    machine: "hmi",
    destination: "historian",
    source: "10.20.0.13:50000",
    target: "10.20.0.3:4000",
    transport: "tcp",
    state: "ESTABLISHED",
    packetsOut: 3,
    packetsIn: 2,
    bytesOut: 300,
    bytesIn: 200,
  } as const;
  t.deepEqual(flowLines({ ...NOTHING, sessions, forwarded: [forward] }, NOW).slice(1), [
    "session         alice    10.20.0.50:40000  press/modbus                   1.2 kB / 12 B    5 s",
    "no certificate  scada-1  10.20.0.50:40000  press/modbus                   1.2 kB / 12 B    5 s",
    "inspected       hmi      10.20.0.50:40000  plc-12/modbus                  1.2 kB / 12 B    5 s",
    "wrapped         hmi      10.20.0.50:40000  broker/tcp                     1.2 kB / 12 B    5 s",
    "forwarded       hmi      10.20.0.13:50000  historian, 10.20.0.3:4000 tcp  300 B / 200 B    established",
  ]);
});

test("the latest refusals are shown, the others counted, and what is still open too", (t) => {
  const refused = Array.from({ length: 23 }, (_, at) => ({
    source: `10.20.0.${at}`,
    target: "10.20.0.12",
    machine: "press",
    what: "tcp 22",
    reason: "",
    packets: 1,
    first: NOW - 9_000,
    last: NOW - 3_000,
  }));
  const lines = flowLines({ ...NOTHING, refused, unauthenticated: 2 }, NOW);
  t.is(lines.filter((line) => line.startsWith("refused")).length, 20);
  t.true(lines.includes("and 3 more; see niac audit query kind=flow.refused"));
  t.is(lines.at(-1), "2 sources may still connect without a certificate: see niac status");
});
