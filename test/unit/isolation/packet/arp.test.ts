import test from "ava";
import * as fc from "fast-check";
import {
  type Arp,
  arpAnnouncement,
  arpReply,
  arpRequest,
  buildArp,
  isProbe,
  parseArp,
} from "../../../../src/isolation/packet/arp.ts";
import { parseFrame } from "../../../../src/isolation/packet/ethernet.ts";
import { frame } from "./build.ts";

const OWN = "02:00:00:00:00:01";
const STATION = "00:1b:1b:00:00:04";

function read(bytes: Uint8Array): Arp | null {
  const parsed = parseFrame(bytes);
  return parsed === null ? null : parseArp(parsed, bytes);
}

test("an announcement as RFC 5227, 1.1 and 2.3 have it", (t) => {
  const bytes = arpAnnouncement(OWN, "10.20.0.50");
  t.is(
    bytes.toString("hex"),
    `ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a140032 000000000000 0a140032 ${"00".repeat(18)}`.replaceAll(
      " ",
      "",
    ),
  );
});

test("a request, a probe, and a reply to each", (t) => {
  const request = read(arpRequest(OWN, "10.20.0.2", "10.20.0.50"));
  const asked = {
    operation: "request",
    senderMac: OWN,
    senderAddress: "10.20.0.2",
    targetMac: "00:00:00:00:00:00",
    targetAddress: "10.20.0.50",
  } as const;
  t.deepEqual(request, asked);
  t.false(isProbe(asked));
  const probe = read(arpRequest(STATION, "0.0.0.0", "10.20.0.50"));
  t.true(probe !== null && isProbe(probe));
  const bytes = arpReply(OWN, { ...asked, senderMac: STATION, senderAddress: "0.0.0.0" });
  t.is(parseFrame(bytes)?.destination, STATION);
  t.deepEqual(read(bytes), {
    operation: "reply",
    senderMac: OWN,
    senderAddress: "10.20.0.50",
    targetMac: STATION,
    targetAddress: "0.0.0.0",
  });
});

test("other hardware, protocols, lengths and operations, and what is cut off, are none", (t) => {
  const good = arpRequest(OWN, "10.20.0.2", "10.20.0.50").subarray(0, 42);
  t.not(read(good), null);
  t.is(read(good.subarray(0, 41)), null);
  for (const at of [14, 15, 16, 17, 18, 19, 20, 21]) {
    const bytes = Buffer.from(good);
    bytes[at] = bytes[at]! + 3;
    t.is(read(bytes), null, `byte ${at}`);
  }
  t.is(read(frame("ff:ff:ff:ff:ff:ff", OWN, 0x8035, good.subarray(14))), null);
});

test("behind a tag it is read too", (t) => {
  const payload = arpRequest(OWN, "10.20.0.2", "10.20.0.50").subarray(14);
  t.like(read(frame("ff:ff:ff:ff:ff:ff", OWN, 0x0806, payload, [[0x8100, 0]])), {
    senderAddress: "10.20.0.2",
  });
});

test("what is built is read back", (t) => {
  const macs = fc
    .uint8Array({ minLength: 6, maxLength: 6 })
    .map((bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":"));
  const arps = fc.record<Arp>({
    operation: fc.constantFrom("request", "reply"),
    senderMac: macs,
    senderAddress: fc.ipV4(),
    targetMac: macs,
    targetAddress: fc.ipV4(),
  });
  fc.assert(fc.property(arps, macs, (arp, to) => t.deepEqual(read(buildArp(arp, to)), arp)));
});
