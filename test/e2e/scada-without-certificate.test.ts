import { sessionsList } from "../../src/link/index.ts";
import { FakedClock } from "../support/faked-clock.ts";
import { HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

/** Polls the press until it is ended. */
const POLL = ["-m", "tcp", "-t", "4", "-0", "-r", "1", "-o", "10", HOSTS.press];

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const SOMEBODY_ELSE = "10.20.0.77";

function site(plant: Plant, until: string): string {
  return plantSite(plant, {
    more: `
unsafeUnauthenticated:
  - name: scada
    owner: control room
    reason: Its Modbus driver speaks no TLS until the update in spring
    until: ${until}
    source: { address: ${HOSTS.scada}, mac: "${plant.mac("scada")}" }
    what: { machines: [press] }`,
  });
}

/** An address that a host has and connects from. */
function become(plant: Plant, host: string, address: string): void {
  plant.ip(host, "addr", "flush", "dev", "eth0");
  plant.ip(host, "addr", "add", `${address}/24`, "dev", "eth0");
}

testWith(
  "root",
  "mbpoll",
  "pymodbus",
)(
  "a SCADA server without a certificate goes on reading as it did, and only as the station it is",
  async (t) => {
    const plant = await Plant.start(t, (p) => site(p, "2099-12-31"));
    const press = await PlantMachine.start(plant, "press");
    const poll = (host: string): Promise<string> => mbpollFrom(plant, host, HOSTS.press, { register: 40 });

    t.is(await poll("scada"), "40");
    t.is(
      await mbpollFrom(plant, "scada", HOSTS.press, { register: 40, write: 7 }),
      "Illegal function",
      "reading is all it was given",
    );

    const own = plant.mac("scada");
    become(plant, "scada", SOMEBODY_ELSE);
    t.regex(await poll("scada"), /refused/, "its MAC address with another IP address");
    become(plant, "scada", HOSTS.scada);
    t.is(await poll("scada"), "40", "itself again");
    become(plant, "scada", SOMEBODY_ELSE);
    become(plant, "attacker", HOSTS.scada);
    t.regex(await poll("attacker"), /refused/, "its IP address with another MAC address");
    become(plant, "attacker", HOSTS.attacker);
    become(plant, "scada", HOSTS.scada);
    plant.ip("scada", "link", "set", "eth0", "address", "02:00:00:00:66:66");
    t.regex(await poll("scada"), /refused/, "its network card exchanged");
    plant.ip("scada", "link", "set", "eth0", "address", own);
    t.is(await poll("scada"), "40");

    t.deepEqual(await press.written(), []);
    const sessions = await plant.box.recorded(1, "kind=session.start", "user=scada");
    for (const { identity, detail } of sessions) {
      t.like(identity, { kind: "source", user: "scada", fingerprint: "" });
      t.is(detail?.["owner"], "control room");
    }
    const refused = await plant.box.recorded(2, "kind=flow.refused", "stage=unknown-port");
    t.true(refused.every(({ reason }) => reason?.includes("unsafeUnauthenticated")));
  },
);

testWith(
  "root",
  "mbpoll",
  "pymodbus",
)("every overview counts who still connects without a certificate", async (t) => {
  const plant = await Plant.start(t, (p) => plantSite(p));
  await PlantMachine.start(plant, "press");
  const told = await plant.box.tryApply(site(plant, "2099-12-31"));
  t.is(told.code, 0, told.err);
  t.regex(
    `${told.out}${told.err}`,
    /^1 source may still connect without a certificate: scada until 2099-12-31$/m,
  );
  await plant.box.until(
    async () => (await mbpollFrom(plant, "scada", HOSTS.press, { register: 40 })) === "40",
    "the SCADA server to be let in",
  );

  const poller = plant.spawn("scada", "mbpoll", POLL);
  await plant.box.until(
    async () => (await plant.box.ask(sessionsList, null)).some(({ user }) => user === "scada"),
    "the poller's session",
  );
  const sessions = (await plant.box.niac("sessions")).out;
  t.regex(sessions, /scada, no certificate +10\.20\.0\.5:\d+ +press\/modbus +scada /);
  const flows = (await plant.box.niac("flows")).out;
  t.regex(flows, /^no certificate +scada +10\.20\.0\.5:\d+ +press\/modbus /m);
  t.regex(flows, /^1 source may still connect without a certificate/m);
  const status = (await plant.box.niac("status")).out;
  t.regex(status, /^open +scada connects without a certificate until 2100-01-01.*\(control room\)$/m);
  poller.kill();
});

testWith(
  "root",
  "mbpoll",
  "pymodbus",
  "faketime",
)("who connects without a certificate is cut off when its time is over, by itself", async (t) => {
  const clock = FakedClock.create(t);
  const plant = await Plant.start(t, (p) => plantSite(p), { environment: clock.environment });
  const press = await PlantMachine.start(plant, "press");
  const until = new Date(Date.now() + 2 * HOUR).toISOString().replace(/\.\d+Z$/, "Z");
  await plant.apply(site(plant, until));
  clock.shift(`+${HOUR / SECOND}`);
  t.is(await mbpollFrom(plant, "scada", HOSTS.press, { register: 40 }), "40", "an hour before its end");

  const poller = plant.spawn("scada", "mbpoll", POLL);
  await plant.box.recorded(2, "kind=session.start", "user=scada");
  clock.shift(`+${(2 * HOUR) / SECOND + 1}`);
  const [end] = await plant.box.recorded(2, "kind=session.end", "user=scada").then((all) => all.slice(-1));
  poller.kill();
  t.true((end?.time ?? 0) >= Date.parse(until), "not before");
  const heard = (await press.heard()).length;
  const after = await mbpollFrom(plant, "scada", HOSTS.press, { register: 40 });
  t.notRegex(after, /^40/);
  t.is((await press.heard()).length, heard, "nothing reaches the press any more");
  t.notRegex((await plant.box.niac("status")).out, /^open/m);
  const [refused] = await plant.box.recorded(1, "kind=session.refused", "user=scada");
  t.regex(refused?.reason ?? "", /scada might connect to press\/modbus without a certificate until/);
});
