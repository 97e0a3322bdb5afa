import test from "ava";
import { parseDrafts } from "../../../src/audit/index.ts";
import { judgeMachine, judgeSource } from "../../../src/gateway/plain-door.ts";
import { inCable } from "./cable-site.ts";

const SITE = inCable();
const BEFORE = Date.UTC(2027, 5, 30, 11, 59, 59, 999);
const UNTIL = Date.UTC(2027, 5, 30, 12);

function ends(source: string, asked: string, port: number) {
  return { source: { address: source, port: 50_000 }, asked: { address: asked, port } };
}

test("a source is let to the services it is listed for, as itself", (t) => {
  const found = judgeSource(SITE, ends("10.20.0.66", "10.20.0.4", 502), BEFORE);
  if ("reason" in found) throw new Error(found.reason);
  t.like(found.identity, { kind: "source", user: "scada-1", groups: [], notAfter: Infinity });
  t.is(`${found.machine.name}/${found.service.name}`, "press-4/modbus");
  t.is(found.destination, null);
});

test("at its end date a source is nobody any more", (t) => {
  t.like(judgeSource(SITE, ends("10.20.0.66", "10.20.0.4", 502), UNTIL), {
    stage: "when",
    rule: "scada-1",
    reason: "scada-1 might connect to press-4/modbus without a certificate until 2027-06-30T12:00:00.000Z",
  });
});

test("other addresses, other services, other ports: refused, and said which", (t) => {
  const reasons = [
    ends("10.20.0.67", "10.20.0.4", 502),
    ends("::ffff:10.20.0.66", "10.20.0.4", 502),
    ends("10.20.0.66", "10.20.0.4", 5900),
    ends("10.20.0.66", "10.20.0.5", 80),
    ends("10.20.0.66", "10.20.0.4", 802),
    ends("10.20.0.66", "10.20.0.9", 502),
  ].map((each) => {
    const found = judgeSource(SITE, each, BEFORE);
    return "reason" in found ? [found.stage, found.machine, found.reason] : found;
  });
  t.deepEqual(reasons, [
    ["source", "press-4", "10.20.0.67 may not connect to press-4/modbus without a certificate"],
    ["source", "press-4", "::ffff:10.20.0.66 may not connect to press-4/modbus without a certificate"],
    ["source", "press-4", "10.20.0.66 may not connect to press-4/panel without a certificate"],
    ["source", "hmi-1", "10.20.0.66 may not connect to hmi-1/web without a certificate"],
    ["service", undefined, "no machine of this site has a service at 10.20.0.4 port 802"],
    ["service", undefined, "no machine of this site has a service at 10.20.0.9 port 502"],
  ]);
});

test("a machine is let to its destinations that the gateway carries, as itself", (t) => {
  const inspected = judgeMachine(SITE, ends("10.20.0.5", "10.9.0.12", 502));
  if ("reason" in inspected) throw new Error(inspected.reason);
  t.like(inspected.identity, { kind: "machine", user: "hmi-1" });
  t.deepEqual(
    [inspected.machine.name, inspected.destination?.name, inspected.service.name],
    ["hmi-1", "plc-12", "modbus"],
  );
  t.deepEqual(inspected.detail, { how: "inspect", server: "10.9.0.12:502", seenAs: "machine" });
  const wrapped = judgeMachine(SITE, ends("10.20.0.5", "10.9.0.30", 1883));
  if ("reason" in wrapped) throw new Error(wrapped.reason);
  t.deepEqual(wrapped.detail, {
    how: "wrap",
    server: "10.9.0.30:8883",
    seenAs: "machine",
    serverName: "historian.plant.example",
  });
});

test("what is nobody's, another's or the kernel's destination is refused, and said which", (t) => {
  const reasons = [
    ends("10.20.0.5", "10.9.0.12", 503),
    ends("10.20.0.4", "10.9.0.30", 1883),
    ends("10.20.0.5", "10.9.0.40", 1883),
    ends("10.20.0.5", "10.20.0.4", 502),
    ends("10.20.0.66", "10.9.0.12", 502),
  ].map((each) => {
    const found = judgeMachine(SITE, each);
    return "reason" in found ? [found.stage, found.machine, found.reason] : found;
  });
  const none = "no destination of the site document allows it";
  t.deepEqual(reasons, [
    ["destination", "hmi-1", `hmi-1 may not connect to 10.9.0.12 port 503: ${none}`],
    ["destination", "press-4", `press-4 may not connect to 10.9.0.30 port 1883: ${none}`],
    [
      "destination",
      "hmi-1",
      'hmi-1 connected to 10.9.0.40 port 1883: the kernel passes that on itself (destination "broker", forward)',
    ],
    ["destination", "hmi-1", `hmi-1 may not connect to 10.20.0.4 port 502: ${none}`],
    ["source", undefined, "10.20.0.66 is the address of no machine of this site"],
  ]);
});

test("what is said of a refusal is what the log takes", (t) => {
  const refused = judgeMachine(SITE, ends("10.20.0.5", "10.9.0.12", 503));
  const drafts = [{ ...refused, time: 1, id: "id", kind: "session.refused" }];
  t.deepEqual(parseDrafts(drafts)[0]?.identity?.kind, "machine");
});
