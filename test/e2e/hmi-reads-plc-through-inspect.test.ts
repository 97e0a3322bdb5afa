import { BOX, HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

/** The mixer's PLC sees the panel, the oven's sees the appliance. */
const MIXER = "10.20.0.21";
const OVEN = "10.20.0.22";

testWith(
  "root",
  "mbpoll",
  "pymodbus",
  "tcpdump",
  "tshark",
)(
  "an HMI behind the box reads a PLC of the plant and writes its set-points, and nothing else of it",
  async (t) => {
    const plant = Plant.create(t);
    plant.plug("mixer", "eth0", "plant", `${MIXER}/24`);
    plant.plug("oven", "eth0", "plant", `${OVEN}/24`);
    const modbus =
      "{ functions: readWrite, read: { holdingRegisters: all }, write: { holdingRegisters: [{ addresses: 100-109, values: 0-500 }] } }";
    await plant.startBox(
      plantSite(plant, {
        more: `
destinations:
  - { name: mixer, reason: The panel shows the mixer, machines: [hmi], how: inspect, host: ${MIXER}, ports: [502], modbus: ${modbus} }
  - { name: oven, reason: The panel shows the oven, machines: [hmi], how: inspect, host: ${OVEN}, ports: [502], source: appliance, modbus: ${modbus} }`,
      }),
    );
    const mixer = await PlantMachine.start(plant, "mixer");
    await PlantMachine.start(plant, "oven");
    const atMixer = await plant.capture("mixer", "eth0", "tcp");
    const atOven = await plant.capture("oven", "eth0", "tcp");

    t.is(await mbpollFrom(plant, "hmi", MIXER, { register: 40, count: 3 }), "40 41 42");
    t.is(await mbpollFrom(plant, "hmi", MIXER, { register: 105, write: 500 }), "written");
    t.is(
      await mbpollFrom(plant, "hmi", MIXER, { register: 105, write: 501 }),
      "Illegal function",
      "too much",
    );
    t.is(
      await mbpollFrom(plant, "hmi", MIXER, { register: 110, write: 7 }),
      "Illegal function",
      "beside them",
    );
    t.is(await mbpollFrom(plant, "hmi", OVEN, { register: 100 }), "100");
    t.regex(
      await mbpollFrom(plant, "press", MIXER, { register: 40 }),
      /refused/,
      "another machine has no such way",
    );

    t.deepEqual(await mixer.written(), ["write holdingRegisters 105 [500]"]);
    await atMixer.stop();
    await atOven.stop();
    const opened = "tcp.dstport == 502 && tcp.flags.syn == 1";
    t.true(
      atMixer.frames(`${opened} && ip.src == ${HOSTS.hmi}`).length > 0,
      "with the machine's own address",
    );
    t.deepEqual(atMixer.frames(`${opened} && ip.src != ${HOSTS.hmi}`), []);
    t.true(atOven.frames(`${opened} && ip.src == ${BOX}`).length > 0, "with the appliance's");
    t.deepEqual(atOven.frames(`${opened} && ip.src != ${BOX}`), []);

    const denials = await plant.box.recorded(2, "kind=operation", "user=hmi", "decision=denial");
    t.is(denials.length, 2);
    for (const { identity, machine } of denials) {
      t.like(identity, { kind: "machine", user: "hmi" });
      t.is(machine, "mixer");
    }
    const [refused] = await plant.box.recorded(1, "kind=flow.refused", "stage=destination");
    t.regex(
      refused?.reason ?? "",
      /^press may not reach 10\.20\.0\.21 port 502 tcp: destination mixer allows it for hmi only/,
    );
  },
);
