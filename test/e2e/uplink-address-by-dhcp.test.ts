import { chmodSync } from "node:fs";
import { HOSTS, Plant, ROUTER } from "../support/plant.ts";
import { mbpollFrom, PlantMachine } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { end } from "../support/processes.ts";
import { testWith } from "../support/tools.ts";

const GIVEN = "10.20.0.150";
const LATER = "10.20.0.160";

/** What udhcpc does with a lease: no more than this, since the tests' hosts share a computer's files. */
const LEASE = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
ip route replace default via "$router"
`;

testWith(
  "root",
  "udhcpc",
  "dnsmasq",
  "mbpoll",
  "pymodbus",
  "tcpdump",
  "tshark",
)(
  "an appliance that gets its address on the uplink by DHCP reaches its machines from then on, and from the next one too",
  async (t) => {
    const plant = Plant.create(t);
    const mac = plant.mac("box", "uplink");
    const serve = (address: string) =>
      plant.spawn("historian", "dnsmasq", [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--port=0",
        "--leasefile-ro",
        "--dhcp-authoritative",
        "--interface=eth0",
        `--dhcp-range=${ROUTER},static,1h`,
        `--dhcp-option=option:router,${ROUTER}`,
        `--dhcp-host=${mac},${address}`,
      ]);
    await plant.startBox(
      plantSite(plant, {
        more: `
unsafeUnauthenticated:
  - { name: scada, owner: control room, reason: It speaks no TLS, until: 2099-12-31, source: { address: ${HOSTS.scada}, mac: "${plant.mac("scada")}" }, what: { machines: [press] } }`,
      }),
      { environment: { NIAC_UPLINK_ADDRESS: "", NIAC_UPLINK_GATEWAY: "" } },
    );
    await PlantMachine.start(plant, "press");
    const script = plant.box.write("lease.sh", LEASE);
    chmodSync(script, 0o755);
    const behind = await plant.capture("press", "eth0", "tcp port 502");

    for (const address of [GIVEN, LATER]) {
      const server = serve(address);
      const lease = ["-f", "-q", "-n", "-t", "10", "-T", "1", "-i", "uplink", "-s", script];
      const { code, err } = await plant.result("box", "udhcpc", lease);
      t.is(code, 0, err);
      await end(server);
      await plant.box.until(
        async () => (await mbpollFrom(plant, "scada", HOSTS.press, { register: 40 })) === "40",
        `the press to be reached from ${address}`,
      );
    }
    await behind.stop();
    for (const address of [GIVEN, LATER])
      t.true(behind.frames(`ip.src == ${address} && tcp.flags.syn == 1`).length > 0, address);
    t.deepEqual(behind.frames("ip.addr == 198.18.0.0/15"), []);
  },
);
