import { until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";
import { Cable, cableSite, HMI, PLC, PRESS } from "./cable.ts";

/** hmi-1 may read PLC 12 and write only its set-point. */
function toPlc(parts: { machines?: string; source?: string; host?: string } = {}): string {
  return cableSite({
    more: `
destinations:
  - name: plc-12
    reason: The panel shows it and moves its set-point
    machines: [${parts.machines ?? "hmi-1"}]
    how: inspect
    source: ${parts.source ?? "machine"}
    host: ${parts.host ?? PLC}
    ports: [502]
    modbus: { functions: readWrite, read: { holdingRegisters: [0-99] }, write: { holdingRegisters: [{ addresses: 10-11, values: 0-200 }] } }`,
  });
}

testWith("root", "pymodbus")(
  "a machine reads a destination and writes only what it may, as itself",
  async (t) => {
    const cable = await Cable.start(t, toPlc());
    const plc = await cable.machine(PLC);
    const hmi = await cable.client("cell", PLC);
    t.is(await hmi.ask("read 10 2"), "10 11");
    t.is(await hmi.ask("write 10 150"), "done");
    t.is(await hmi.ask("read 10 1"), "150");
    t.is(await hmi.ask("write 10 201"), "exception 1");
    t.is(await hmi.ask("write 20 1"), "exception 1");
    t.deepEqual(
      (await plc.heard()).filter((line) => line.startsWith("write")),
      ["write holdingRegisters 10 [150]"],
    );
    // The address that the kernel puts the machine's own in the place of.
    t.regex(cable.run("box", "ss", "-Htn", "dst", PLC), /198\.18\.\d+\.\d+:\d+ +10\.9\.0\.12:502/);

    const denied = await cable.bed.recorded(2, "user=hmi-1", "kind=operation", "decision=denial");
    t.deepEqual(
      denied.map(({ machine, service, stage, reason }) => [machine, service, stage, reason]),
      [
        [
          "plc-12",
          "modbus",
          "value",
          "hmi-1 may write holding registers 10..11 of plc-12 only with values 0..200; 201 was asked for 10",
        ],
        [
          "plc-12",
          "modbus",
          "address",
          "hmi-1 may write holding registers of plc-12 only at 10..11; 20 was asked",
        ],
      ],
    );
    const [start] = await cable.bed.recorded(1, "user=hmi-1", "kind=session.start");
    t.like(start, {
      rule: "plc-12",
      identity: { kind: "machine", user: "hmi-1" },
      detail: { how: "inspect", server: `${PLC}:502`, seenAs: "machine", asked: `${PLC}:502` },
    });
    const [permitted] = await cable.bed.recorded(1, "user=hmi-1", "kind=operation", "decision=permit");
    const [outcome] = await cable.bed.recorded(1, "kind=outcome");
    t.is(outcome?.ref, permitted?.id);
    t.is(outcome?.outcome, "ok");
    t.regex((await cable.bed.niac("sessions")).out, /hmi-1, machine +10\.20\.0\.5:\d+ +plc-12\/modbus/);
    t.regex((await cable.bed.niac("status")).out, /plc-12\/modbus from hmi-1 +working/);
  },
);

testWith("root", "pymodbus")(
  "what is nobody's destination is reset, and on record with what was asked for",
  async (t) => {
    const cable = await Cable.start(t, toPlc());
    const plc = await cable.machine(PLC);
    await (await cable.tcp("cell", PLC, 502, PRESS)).says("reset");
    await (await cable.tcp("cell", "10.9.0.30")).says("reset");
    await (await cable.tcp("cell", PLC, 502, "127.0.0.1")).says("reset");
    const refused = await cable.bed.recorded(3, "kind=session.refused");
    t.deepEqual(
      refused.map(({ stage, machine, identity, reason }) => [stage, machine, identity?.user, reason]),
      [
        [
          "destination",
          "press-4",
          "press-4",
          `press-4 may not connect to ${PLC} port 502: no destination of the site document allows it`,
        ],
        [
          "destination",
          "hmi-1",
          "hmi-1",
          "hmi-1 may not connect to 10.9.0.30 port 502: no destination of the site document allows it",
        ],
        ["source", undefined, undefined, "127.0.0.1 is the address of no machine of this site"],
      ],
    );
    t.deepEqual(await plc.heard(), []);
  },
);

testWith("root", "pymodbus")(
  "machines share the connections of a destination that sees the appliance, and have their own where it sees them",
  async (t) => {
    const both = "hmi-1, press-4";
    const cable = await Cable.start(t, toPlc({ machines: both, source: "appliance" }));
    await cable.machine(PLC);
    const hmi = await cable.client("cell", PLC);
    const press = await cable.client("cell", PLC, PRESS);
    t.is(await hmi.ask("read 1 1"), "1");
    t.is(await press.ask("read 2 1"), "2");
    const shared = cable.run("box", "ss", "-Htn", "dst", PLC, "dport", "=", ":502");
    t.is(shared.trim().split("\n").length, 1, shared);
    t.notRegex(shared, /198\.18\./);

    // One of two machines is taken away: the other goes on, over the connection that the first had opened.
    await cable.bed.apply(toPlc({ machines: "press-4", source: "appliance" }));
    t.regex(await hmi.ask("read 1 1"), /^failed/);
    t.is(await press.ask("read 3 1"), "3");

    await cable.bed.apply(toPlc({ machines: both }));
    const [hmiAgain, pressAgain] = [await cable.client("cell", PLC), await cable.client("cell", PLC, PRESS)];
    t.is(await hmiAgain.ask("read 4 1"), "4");
    t.is(await pressAgain.ask("read 5 1"), "5");
    const own = cable.run("box", "ss", "-Htn", "state", "established", "dst", PLC, "dport", "=", ":502");
    t.is(new Set(own.match(/198\.18\.\d+\.\d+/g)).size, 2, own);
  },
);

testWith("root", "pymodbus")(
  "a document in which the destination is gone or another ends the sessions at once",
  async (t) => {
    const cable = await Cable.start(t, toPlc());
    await cable.machine(PLC);
    const [hmi, watched] = [await cable.client("cell", PLC), await cable.tcp("cell", PLC)];
    t.is(await hmi.ask("read 1 1"), "1");
    await cable.bed.recorded(2, "kind=session.start");
    await cable.bed.apply(toPlc().replace("The panel shows it", "For the panel"));
    t.is(await hmi.ask("read 2 1"), "2");
    await cable.bed.apply(toPlc({ source: "appliance" }));
    await watched.says("reset");
    const ended = await cable.bed.recorded(2, "kind=session.end");
    t.deepEqual(
      ended.map(({ reason, machine }) => [reason, machine]),
      [
        ["the site document changed modbus of plc-12", "plc-12"],
        ["the site document changed modbus of plc-12", "plc-12"],
      ],
    );
    const again = await cable.tcp("cell", PLC);
    await cable.bed.recorded(3, "kind=session.start");
    await cable.bed.apply(cableSite());
    await again.says("reset");
  },
);

testWith("root", "pymodbus")(
  "a machine whose address the document changes has no sessions left",
  async (t) => {
    const cable = await Cable.start(t, toPlc());
    await cable.machine(PLC);
    const watched = await cable.tcp("cell", PLC);
    await cable.bed.recorded(1, "kind=session.start");
    await cable.bed.apply(toPlc().replaceAll(`address: ${HMI}`, "address: 10.20.0.7"));
    await watched.says("reset");
    const [ended] = await cable.bed.recorded(1, "kind=session.end");
    t.is(ended?.reason, "the site document changed modbus of plc-12");
    await (await cable.tcp("cell", PLC)).says("reset");
  },
);

testWith("root", "pymodbus")(
  "a destination that does not answer is exception 0B, and on record once",
  async (t) => {
    const cable = await Cable.start(t, toPlc());
    const hmi = await cable.client("cell", PLC);
    t.is(await hmi.ask("read 1 1"), "exception 11");
    t.is(await hmi.ask("read 1 1"), "exception 11");
    const [circuit] = await cable.bed.recorded(1, "kind=process", "machine=plc-12");
    t.like(circuit, { service: "modbus", detail: { circuit: "open", origin: "hmi-1" } });
    t.regex(circuit?.reason ?? "", /ECONNREFUSED/);
  },
);

testWith("root", "pymodbus")(
  "while nothing can be recorded a machine that is connected still reads, and writes nothing",
  async (t) => {
    const cable = await Cable.start(t, toPlc());
    const plc = await cable.machine(PLC);
    const hmi = await cable.client("cell", PLC);
    t.is(await hmi.ask("write 10 1"), "done");
    await cable.bed.end("control", "SIGKILL");
    await until(() => cable.log.includes("control is away"), "the gateway to notice");
    t.is(await hmi.ask("read 10 1"), "1");
    t.is(await hmi.ask("write 10 2"), "exception 6");
    const late = await cable.client("cell", PLC);
    t.is(await late.ask("read 10 1"), "exception 6");
    await cable.bed.run("control");
    await cable.bed.recorded(1, "kind=session.refused", "stage=unrecorded", "user=hmi-1");
    t.is(await hmi.ask("write 10 3"), "done");
    t.deepEqual(
      (await plc.heard()).filter((line) => line.startsWith("write")),
      ["write holdingRegisters 10 [1]", "write holdingRegisters 10 [3]"],
    );
  },
);
