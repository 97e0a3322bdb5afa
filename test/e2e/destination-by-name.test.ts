import { BOX, HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

const MIXER = "10.20.0.21";
const WHAT = "modbus: { functions: readOnly, read: { holdingRegisters: all } }";

testWith(
  "root",
  "dig",
  "dnsmasq",
  "mbpoll",
  "pymodbus",
  "tcpdump",
  "tshark",
)(
  "a machine reaches a destination by its name, which the box looks up itself, and no name leads back to a machine",
  async (t) => {
    const plant = Plant.create(t);
    plant.plug("mixer", "eth0", "plant", `${MIXER}/24`);
    await PlantMachine.start(plant, "mixer");
    const press = await PlantMachine.start(plant, "press");
    // The plant's own name server; one of its answers is forged, or somebody's mistake.
    const names = [`--address=/mixer.plant.example/${MIXER}`, `--address=/oven.plant.example/${HOSTS.press}`];
    const alone = [
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--no-resolv",
      "--no-hosts",
      "--bind-interfaces",
    ];
    plant.spawn("historian", "dnsmasq", [...alone, `--listen-address=${HOSTS.historian}`, ...names]);
    await plant.startBox(
      plantSite(plant, {
        network: `nameServers: [${HOSTS.historian}]`,
        more: `
destinations:
  - { name: mixer, reason: The panel shows the mixer, machines: [hmi], how: inspect, host: mixer.plant.example, ports: [502], ${WHAT} }
  - { name: oven, reason: The panel shows the oven, machines: [hmi], how: inspect, host: oven.plant.example, ports: [502], ${WHAT} }`,
      }),
    );
    const outside = await plant.capture("historian", "eth0", "udp port 53");
    const behind = await plant.capture("press", "eth0", "tcp port 502");
    const find = async (name: string): Promise<string> => {
      const { out } = await plant.result("hmi", "dig", [
        "+short",
        "+time=2",
        "+tries=5",
        "@8.8.8.8",
        name,
        "A",
      ]);
      // Before it the tries that came too early are told.
      return out.trim().split("\n").at(-1) ?? "";
    };

    const mixer = await find("mixer.plant.example");
    t.regex(mixer, /^198\.19\.\d+\.\d+$/, "the box's own address for it");
    t.is(await mbpollFrom(plant, "hmi", mixer, { register: 40 }), "40");
    t.is(await mbpollFrom(plant, "hmi", mixer, { register: 40, write: 7 }), "Illegal function");
    t.regex(await mbpollFrom(plant, "press", mixer, { register: 40 }), /refused/, "no way of the press");

    const oven = await find("oven.plant.example");
    t.not(oven, mixer);
    t.notRegex(await mbpollFrom(plant, "hmi", oven, { register: 40 }), /^\d+$/);
    t.deepEqual(await press.heard(), []);
    t.regex((await plant.box.niac("status")).out, /^oven\/modbus .*oven\.plant\.example is 10\.20\.0\.12/m);

    await outside.stop();
    await behind.stop();
    t.true(outside.frames(`dns && ip.src == ${BOX}`).length > 0);
    t.deepEqual(outside.frames(`dns.flags.response == 0 && ip.src != ${BOX}`), [], "nobody else asks there");
    t.deepEqual(behind.frames(`ip.dst == ${HOSTS.press} && tcp.dstport == 502`), []);
  },
);
