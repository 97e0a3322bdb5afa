/** The packet filters in a real kernel; run by filter.test.ts in a network namespace of its own. Prints which frames were heard. */
import { arpFilter, deviceFilter, MAX_KNOWN } from "../../../src/isolation/packet/filter.ts";
import { frame, ipv4, udp } from "../../unit/isolation/packet/build.ts";
import { until } from "../../support/processes.ts";
import { cable, listen, native, run } from "./native-bed.ts";

const KNOWN = "00:1b:1b:00:00:04";
const UNKNOWN = "00:1b:1b:00:01:04";
const APPLIANCE = "02:00:5e:00:00:01";
const ALL = "ff:ff:ff:ff:ff:ff";

function packet(destination: string): Buffer {
  const payload = udp(40_000, 9, Buffer.from("a frame of this test"));
  return ipv4({ source: "10.20.0.50", destination, protocol: 17, payload });
}

const plain = packet("10.20.0.9");
const arp = Buffer.alloc(46, "arp");

const FRAMES: Readonly<Record<string, Buffer>> = {
  known: frame(APPLIANCE, KNOWN, 0x0800, plain),
  unknown: frame(APPLIANCE, UNKNOWN, 0x0800, plain),
  broadcast: frame(ALL, KNOWN, 0x0800, plain),
  multicast: frame("01:00:5e:00:00:fb", KNOWN, 0x0800, packet("224.0.0.251")),
  arp: frame(ALL, KNOWN, 0x0806, arp),
  lldp: frame("01:80:c2:00:00:0e", KNOWN, 0x88cc, arp),
  stp: frame("01:80:c2:00:00:00", KNOWN, 0x26, Buffer.alloc(46, 0x42)),
  short: frame(APPLIANCE, KNOWN, 0x0800, plain.subarray(0, 12)),
  priority: frame(APPLIANCE, KNOWN, 0x0800, plain, [[0x8100, 0xe000]]),
  tagged: frame(APPLIANCE, KNOWN, 0x0800, plain, [[0x8100, 12]]),
  double: frame(APPLIANCE, KNOWN, 0x0800, plain, [
    [0x88a8, 5],
    [0x8100, 12],
  ]),
  taggedArp: frame(ALL, KNOWN, 0x0806, arp, [[0x8100, 12]]),
};

const { out } = cable();

/** By name, in the order of FRAMES. */
async function heardThrough(filter: Buffer): Promise<string[]> {
  const fd = native.openPacket("niac-a", filter);
  const { watch, heard, errors } = listen(fd);
  for (const bytes of Object.values(FRAMES)) native.write(out, bytes);
  // Every filter lets ARP through, and frames on a cable do not overtake each other.
  const last = frame(ALL, KNOWN, 0x0806, Buffer.alloc(46, "last"));
  native.write(out, last);
  await until(() => heard.includes(last.toString("hex")), "the last frame");
  watch.close();
  if (errors.length > 0) throw new Error(errors.join());
  return Object.entries(FRAMES).flatMap(([name, bytes]) =>
    heard.includes(bytes.toString("hex")) ? [name] : [],
  );
}

await run({
  async all() {
    const many = Array.from(
      { length: MAX_KNOWN - 1 },
      (_, i) => `06:00:${octet(i >> 8)}:${octet(i & 255)}:00:01`,
    );
    return {
      one: await heardThrough(deviceFilter([KNOWN])),
      most: await heardThrough(deviceFilter([...many, KNOWN])),
      others: await heardThrough(deviceFilter(many)),
      none: await heardThrough(deviceFilter([])),
      uplink: await heardThrough(arpFilter()),
    };
  },
});

function octet(value: number): string {
  return value.toString(16).padStart(2, "0");
}
