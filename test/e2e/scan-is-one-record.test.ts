import { statusShow } from "../../src/link/index.ts";
import { HOSTS, Plant } from "../support/plant.ts";
import { PlantMachine } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

/** Milliseconds for nmap, and for all of it: every port twice takes it a minute. */
const SCAN = 600_000;
const ALL = 700_000;
const EVERY_PORT = 65_535;

testWith(
  "root",
  "nmap",
  "pymodbus",
  "tcpdump",
  "tshark",
)(
  "a scan of a machine finds niac's own port and no other, is one record, and nothing of it reaches the machine",
  async (t) => {
    t.timeout(ALL);
    const plant = await Plant.start(t, (p) => plantSite(p));
    await PlantMachine.start(plant, "press");
    await plant.echo("press", 5900);
    const behind = await plant.capture("box", "device");

    const how = ["-n", "-Pn", "-T4", "--max-retries", "1", "--min-rate", "3000", "-oG", "-"];
    const scan = ["-sS", "-sU", "-p-", ...how, HOSTS.press];
    const { out, err, code } = await plant.result("attacker", "nmap", scan, SCAN);
    t.is(code, 0, err);
    const open = [...out.matchAll(/(\d+)\/open\/(tcp|udp)/g)];
    t.deepEqual(
      open.map(([, port, transport]) => `${transport} ${port}`),
      ["tcp 802"],
    );

    await behind.stop();
    t.deepEqual(behind.frames(`ip.addr == ${HOSTS.attacker}`), []);
    t.deepEqual(behind.frames(`arp.dst.proto_ipv4 == ${HOSTS.attacker}`), []);

    const [record, ...more] = await plant.box.recorded(1, "kind=flow.refused", "stage=unknown-port");
    t.deepEqual(more, [], "one scan is one record");
    t.like(record, { source: HOSTS.attacker, machine: "press", decision: "denial" });
    t.regex(record?.reason ?? "", /tcp ports and [\d,]+ udp ports of press in .*, which looks like a scan/);
    const { packets = 0, tcpPorts = 0, udpPorts = 0 } = record?.counts ?? {};
    t.true(tcpPorts > 1_000 && udpPorts > 1_000, record?.reason);
    // So fast a scan is looked at in part; the kernel itself answers and counts the rest.
    await plant.box.until(async () => {
      const { network } = await plant.box.ask(statusShow, null);
      const flood = network?.refused["beyond what is looked at one by one"] ?? 0;
      return packets + flood >= 2 * EVERY_PORT - open.length;
    }, "every packet to be accounted for");
  },
);
