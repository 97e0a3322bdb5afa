import { Plant, HOSTS } from "../support/plant.ts";
import { mbpollFrom, PlantMachine, stunnelOn } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

const OFFICE = "10.30.0.1";
const FAR_SCADA = "10.30.0.5";
const FAR_LAPTOP = "10.30.0.50";

testWith(
  "root",
  "stunnel4",
  "mbpoll",
  "pymodbus",
)(
  "clients of another network come through the plant's router, with a certificate or as the source that is named",
  async (t) => {
    const plant = Plant.create(t);
    // The historian's host is the plant's router; the other network's cables end at the same switch.
    plant.run("historian", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0");
    plant.run("historian", "sysctl", "-qw", "net.ipv4.conf.eth0.send_redirects=0");
    plant.ip("historian", "addr", "add", `${OFFICE}/24`, "dev", "eth0");
    for (const [host, address] of [
      ["far-scada", FAR_SCADA],
      ["far-laptop", FAR_LAPTOP],
    ] as const) {
      plant.plug(host, "eth0", "plant", `${address}/24`);
      plant.ip(host, "route", "add", "default", "via", OFFICE);
    }
    await plant.startBox(
      plantSite(plant, {
        more: `
unsafeUnauthenticated:
  - { name: far-scada, owner: control room, reason: It speaks no TLS, until: 2099-12-31, source: { address: ${FAR_SCADA}, mac: "${plant.mac("historian")}" }, what: { machines: [press] } }`,
      }),
    );
    await PlantMachine.start(plant, "press");

    t.is(await mbpollFrom(plant, "far-scada", HOSTS.press, { register: 40 }), "40");
    t.regex(await mbpollFrom(plant, "far-laptop", HOSTS.press, { register: 40 }), /refused/);
    const credential = plant.box.root.client({ cn: "alice", ou: ["maintenance"] });
    const port = await stunnelOn(plant, "far-laptop", { credential, to: `${HOSTS.press}:802` });
    t.is(await mbpollFrom(plant, "far-laptop", "127.0.0.1", { port, register: 40, write: 7 }), "written");
    t.is(await mbpollFrom(plant, "far-scada", HOSTS.press, { register: 40 }), "7");
    const [session] = await plant.box.recorded(1, "kind=session.start", "user=alice");
    t.is(session?.source?.split(":")[0], FAR_LAPTOP);

    plant.ip("far-scada", "addr", "add", `${HOSTS.scada.replace(".5", ".77")}/24`, "dev", "eth0");
    plant.ip("far-scada", "route", "replace", `${HOSTS.press}/32`, "dev", "eth0", "src", FAR_SCADA);
    t.regex(
      await mbpollFrom(plant, "far-scada", HOSTS.press, { register: 40 }),
      /refused|timed out/i,
      "its address, but not by way of the router",
    );
  },
);
