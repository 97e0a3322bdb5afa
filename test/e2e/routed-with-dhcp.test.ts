import { chmodSync } from "node:fs";
import { BOX, HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine, stunnelOn } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

const DEVICE = "192.168.77.1";
const PRESS = "192.168.77.12";
const HMI = "192.168.77.13";
const NOBODY = "192.168.77.99";

/** What udhcpc does with a lease: no more than this, since the tests' hosts share a computer's files. */
const LEASE = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
echo "lease $ip/$mask router $router dns $dns ntp $ntpsrv"
`;

testWith(
  "root",
  "udhcpc",
  "dnsmasq",
  "stunnel4",
  "mbpoll",
  "pymodbus",
  "tcpdump",
  "tshark",
)(
  "in routed mode machines get their own addresses by DHCP, strangers none, and are reached and reach out through the box",
  async (t) => {
    const plant = Plant.create(t);
    plant.plug("stranger", "eth0", "machines");
    for (const host of ["press", "hmi"]) {
      plant.ip(host, "addr", "flush", "dev", "eth0");
    }
    const text = plantSite(plant, {
      more: `
destinations:
  - { name: historian, reason: Values of the shift, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [4000] }`,
    })
      .replace(
        "mode: inline, ",
        `mode: routed, device: { address: ${DEVICE}/24, dhcp: true }, timeServers: [${HOSTS.historian}]`,
      )
      .replace(HOSTS.press, PRESS)
      .replace(HOSTS.hmi, HMI);
    await plant.startBox(text, { serverAddresses: [PRESS] });
    const script = plant.box.write("lease.sh", LEASE);
    chmodSync(script, 0o755);
    const lease = async (host: string): Promise<string> => {
      const { out } = await plant.result(host, "udhcpc", [
        "-f",
        "-q",
        "-n",
        "-t",
        "5",
        "-T",
        "2",
        "-i",
        "eth0",
        "-s",
        script,
        "-O",
        "ntpsrv",
      ]);
      return out.trim();
    };

    const given = `router ${DEVICE} dns ${DEVICE} ntp ${HOSTS.historian}`;
    t.is(await lease("press"), `lease ${PRESS}/24 ${given}`);
    t.is(await lease("hmi"), `lease ${HMI}/24 ${given}`);
    t.is(await lease("stranger"), "", "whom the site document does not know");

    await plant.echo("historian", 4000);
    t.is(
      await plant.ask("hmi", HOSTS.historian, 4000),
      `historian ${BOX} hello`,
      "with the appliance's address",
    );
    t.is(await plant.dial("press", HOSTS.historian, 4000), "reset");

    await PlantMachine.start(plant, "press");
    plant.ip("laptop", "route", "add", "192.168.77.0/24", "via", BOX);
    plant.ip("attacker", "route", "add", "192.168.77.0/24", "via", BOX);
    const behind = await plant.capture("box", "device", `host ${HOSTS.laptop} or host ${HOSTS.attacker}`);
    const credential = plant.box.root.client({ cn: "alice", ou: ["maintenance"] });
    const port = await stunnelOn(plant, "laptop", { credential, to: `${PRESS}:802` });
    t.is(await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 40, count: 2 }), "40 41");
    t.is(await plant.dial("attacker", PRESS, 502), "reset");
    t.is(await plant.dial("attacker", DEVICE, 53), "reset", "nor the appliance's own address behind it");
    t.is(await plant.dial("attacker", NOBODY, 502), "reset", "nor what is nobody's");
    await behind.stop();
    t.deepEqual(behind.frames(), []);
    const refused = await plant.box.recorded(3, "kind=flow.refused", "stage=unknown-port");
    const targets = new Set(refused.map(({ detail }) => detail?.["destination"]));
    for (const target of [DEVICE, PRESS, NOBODY]) t.true(targets.has(target), target);
  },
);
