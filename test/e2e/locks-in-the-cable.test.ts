import { HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "mbpoll",
  "pymodbus",
  "conntrack",
)(
  "a lock on a machine cuts what the kernel forwards for it, and one on a source what it reads, and no other's",
  async (t) => {
    const plant = await Plant.start(t, (p) =>
      plantSite(p, {
        more: `
destinations:
  - { name: historian, reason: Values of the shift, machines: [hmi, press], how: forward, host: ${HOSTS.historian}, ports: [4000] }
unsafeUnauthenticated:
  - name: scada
    owner: control room
    reason: Its Modbus driver speaks no TLS until the update in spring
    until: 2099-12-31
    source: { address: ${HOSTS.scada}, mac: "${p.mac("scada")}" }
    what: { machines: [press] }`,
      }),
    );
    await plant.echo("historian", 4000);
    await PlantMachine.start(plant, "press");
    const send = (from: "hmi" | "press"): Promise<string> => plant.ask(from, HOSTS.historian, 4000);
    const poll = (): Promise<string> => mbpollFrom(plant, "scada", HOSTS.press, { register: 40 });
    t.is(await send("hmi"), `historian ${HOSTS.hmi} hello`);
    t.is(await poll(), "40");

    const machine = await plant.box.niac("lock", "machine", "hmi", "--reason", "it sends nonsense");
    t.regex(machine.out, /^in force/m);
    t.notRegex(machine.out, /problem/);
    t.is(await plant.dial("hmi", HOSTS.historian, 4000), "reset");
    t.is(await send("press"), `historian ${HOSTS.press} hello`, "another machine's way stays");
    t.is(await poll(), "40");

    t.regex((await plant.box.niac("lock", "source", "scada", "--reason", "moved")).out, /^in force/m);
    t.regex(await poll(), /refused/);
    t.is((await plant.box.niac("unlock", "source", "scada")).code, 0);
    t.is(await poll(), "40");

    t.regex((await plant.box.niac("lock", "machine", "press", "--reason", "it moves")).out, /^in force/m);
    t.regex(await poll(), /refused/);
    t.is(await plant.dial("press", HOSTS.historian, 4000), "reset");

    t.is((await plant.box.niac("unlock", "machine", "hmi")).code, 0);
    t.is(await send("hmi"), `historian ${HOSTS.hmi} hello`);
    const records = await plant.box.recorded(5, "kind=trust");
    t.deepEqual(
      records.map(({ detail }) => [detail?.["action"], detail?.["of"], detail?.["value"]]),
      [
        ["lock", "machine", "hmi"],
        ["lock", "source", "scada"],
        ["unlock", "source", "scada"],
        ["lock", "machine", "press"],
        ["unlock", "machine", "hmi"],
      ],
    );
  },
);
