import { FakedClock } from "../../support/faked-clock.ts";
import { testWith } from "../../support/tools.ts";
import { Cable, cableSite, HMI, PRESS, SCADA, STRANGER } from "./cable.ts";

/** `scada-1`, as long as it says, at the services it names. */
function scada(until: string, what: string): string {
  return `
unsafeUnauthenticated:
  - name: scada-1
    owner: Control room
    reason: Its driver knows no TLS
    until: ${until}
    source: { address: ${SCADA}, mac: "02:00:00:00:00:66" }
    what: ${what}`;
}

const PRESS_ONLY = "{ machines: [press-4], services: [modbus] }";
const NEXT_YEAR = String(new Date().getUTCFullYear() + 1);
const SITE = cableSite({ more: scada(`${NEXT_YEAR}-12-31`, PRESS_ONLY) });

testWith(
  "root",
  "pymodbus",
  "mbpoll",
)(
  "mbpoll and pymodbus go on reading without a certificate, writes are answered with exception 01",
  async (t) => {
    const cable = await Cable.start(t, SITE);
    const press = await cable.machine(PRESS);
    const poll = ["-m", "tcp", "-a", "1", "-t", "4", "-0", "-r", "40", "-c", "3", "-1", "-o", "10", PRESS];
    const values = [...cable.run("plant", "mbpoll", ...poll).matchAll(/^\[\d+\]:\s+(\d+)/gm)].map(
      ([, value]) => Number(value),
    );
    t.deepEqual(values, [40, 41, 42]);
    const write = await t.throwsAsync(async () =>
      cable.run("plant", "mbpoll", "-m", "tcp", "-t", "4", "-0", "-r", "40", "-o", "10", PRESS, "7"),
    );
    t.regex(write?.message ?? "", /Illegal function/i);

    const client = await cable.client("plant", PRESS);
    t.is(await client.ask("read 10 2"), "10 11");
    t.is(await client.ask("write 10 5"), "exception 1");
    t.deepEqual(
      (await press.heard()).filter((line) => line.startsWith("write")),
      [],
    );

    const [denied] = await cable.bed.recorded(1, "user=scada-1", "kind=operation", "decision=denial");
    t.like(denied, { stage: "function", rule: "scada-1", machine: "press-4", service: "modbus" });
    t.regex(
      denied?.reason ?? "",
      /^scada-1 may not use function \d+ .* of press-4; unsafeUnauthenticated "scada-1" lists/,
    );
    t.like(denied?.identity, { kind: "source", user: "scada-1", fingerprint: "", serialNumber: "" });
    const [start] = await cable.bed.recorded(1, "user=scada-1", "kind=session.start");
    t.like(start, {
      rule: "scada-1",
      detail: { owner: "Control room", asked: `${PRESS}:502`, grants: "scada-1" },
    });
    t.regex(
      (await cable.bed.niac("sessions")).out,
      /scada-1, no certificate +10\.20\.0\.66:\d+ +press-4\/modbus/,
    );
    t.regex(
      (await cable.bed.niac("audit", "query", "kind=session.start")).out,
      /scada-1 \(no certificate\) +press-4/,
    );
  },
);

testWith("root", "pymodbus")(
  "nobody else gets an answer without a certificate, and each is on record",
  async (t) => {
    const cable = await Cable.start(t, SITE);
    const press = await cable.machine(PRESS);
    const stranger = await cable.tcp("plant", PRESS, 502, STRANGER);
    await stranger.says("reset");
    // scada-1 is let to the press, and to no other machine.
    const elsewhere = await cable.tcp("plant", HMI);
    await elsewhere.says("reset");
    const refused = await cable.bed.recorded(2, "kind=session.refused", "stage=source");
    t.deepEqual(
      refused.map(({ machine, service, reason }) => [machine, service, reason]),
      [
        ["press-4", "modbus", `${STRANGER} may not connect to press-4/modbus without a certificate`],
        ["hmi-1", "panel", `${SCADA} may not connect to hmi-1/panel without a certificate`],
      ],
    );
    t.deepEqual(
      press.lines.filter((line) => line === "connected"),
      [],
    );
  },
);

testWith(
  "root",
  "pymodbus",
  "faketime",
)("a source's session ends by itself at its date", async (t) => {
  const clock = FakedClock.create(t);
  const cable = await Cable.start(
    t,
    SITE,
    ({ bed }) => void Object.assign(bed.environment, clock.environment),
  );
  await cable.machine(PRESS);
  const client = await cable.tcp("plant", PRESS);
  await cable.bed.recorded(1, "kind=session.start");
  const soon = new Date(Math.ceil(Date.now() / 1000 + 3_600) * 1000).toISOString();
  await cable.bed.apply(cableSite({ more: scada(soon.replace(".000", ""), PRESS_ONLY) }));
  clock.shift("+3601");
  await client.says("reset");
  const [ended] = await cable.bed.recorded(1, "kind=session.end");
  t.like(ended, { stage: "when", rule: "scada-1", decision: "denial" });
  t.true((ended?.time ?? 0) >= Date.parse(soon));
  const late = await cable.tcp("plant", PRESS);
  await late.says("reset");
  const [refused] = await cable.bed.recorded(1, "kind=session.refused");
  t.like(refused, {
    stage: "when",
    rule: "scada-1",
    reason: `scada-1 might connect to press-4/modbus without a certificate until ${soon}`,
  });
});

testWith("root", "pymodbus")(
  "a new document ends the sessions of sources it does not name, at once, and only these",
  async (t) => {
    const cable = await Cable.start(t, SITE);
    await cable.machine(PRESS);
    const client = await cable.client("plant", PRESS);
    const watched = await cable.tcp("plant", PRESS);
    t.is(await client.ask("read 1 1"), "1");
    await cable.bed.recorded(2, "kind=session.start");
    const other = scada(`${NEXT_YEAR}-06-30`, PRESS_ONLY).replace("no TLS", "no TLS yet");
    await cable.bed.apply(cableSite({ more: other }));
    t.is(await client.ask("read 2 1"), "2");
    await cable.bed.apply(cableSite());
    await watched.says("reset");
    const ended = await cable.bed.recorded(2, "kind=session.end", "user=scada-1");
    t.deepEqual(
      ended.map(({ stage }) => stage),
      ["grant", "grant"],
    );
  },
);

testWith("root")("a service that is no Modbus is relayed to a source that it is listed for", async (t) => {
  const what = "{ machines: [hmi-1], services: [panel] }";
  const cable = await Cable.start(t, cableSite({ more: scada(`${NEXT_YEAR}-12-31`, what) }));
  await cable.socat(`TCP4-LISTEN:502,bind=${HMI},reuseaddr,fork`, "EXEC:cat");
  const client = await cable.tcp("plant", HMI);
  t.is(await client.ask("hello"), "got hello");
  const [start] = await cable.bed.recorded(1, "kind=session.start");
  t.like(start, { machine: "hmi-1", service: "panel", rule: "scada-1" });
});
