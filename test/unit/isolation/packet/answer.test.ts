import test, { type ExecutionContext } from "ava";
import * as fc from "fast-check";
import { answerTo } from "../../../../src/isolation/packet/answer.ts";
import { type Ipv4Packet, parseIpv4 } from "../../../../src/isolation/packet/ipv4.ts";
import {
  icmp,
  internetChecksum,
  ipv4,
  octets,
  type PacketFields,
  tcp,
  type TcpFields,
  udp,
} from "./build.ts";

const CLIENT = "10.20.0.66";
const MACHINE = "10.20.0.50";
const APPLIANCE = "10.20.0.2";

function answer(fields: Partial<PacketFields>): Buffer | null {
  const bytes = ipv4({
    source: CLIENT,
    destination: MACHINE,
    protocol: 17,
    payload: udp(5_000, 161, Buffer.from("get")),
    ...fields,
  });
  return answerTo(parsed(bytes), bytes, APPLIANCE);
}

function answerToTcp(fields: Partial<TcpFields>, around: Partial<PacketFields> = {}): Ipv4Packet | null {
  const payload = tcp({ sourcePort: 40_000, destinationPort: 502, flags: 2, ...fields });
  const bytes = answer({ protocol: 6, payload, ...around });
  return bytes === null ? null : parsed(bytes);
}

function parsed(bytes: Uint8Array): Ipv4Packet {
  const packet = parseIpv4(bytes);
  if ("problem" in packet) throw new Error(packet.problem);
  return packet;
}

/** Header, and what it carries; a TCP checksum covers the pseudo header too (RFC 9293, 3.1). */
function checksumsHold(bytes: Buffer): boolean {
  const { source, destination, protocol, headerLength } = parsed(bytes);
  const payload = bytes.subarray(headerLength);
  const pseudo =
    protocol === 6 ? [octets(source), octets(destination), Buffer.from([0, 6, 0, payload.length])] : [];
  return (
    internetChecksum(bytes.subarray(0, headerLength)) === 0 &&
    internetChecksum(Buffer.concat([...pseudo, payload])) === 0
  );
}

test("a SYN is reset as from the port that was asked, its sequence number acknowledged", (t) => {
  const bytes = answer({
    protocol: 6,
    payload: tcp({ sourcePort: 40_000, destinationPort: 502, flags: 2, sequence: 1_000 }),
  });
  t.true(bytes !== null && checksumsHold(bytes));
  t.like(parsed(bytes ?? Buffer.alloc(0)), {
    source: MACHINE,
    destination: CLIENT,
    sourcePort: 502,
    destinationPort: 40_000,
    tcpFlags: 0x14,
    tcpSequence: 0,
    tcpAcknowledgement: 1_001,
    ttl: 64,
    length: 40,
  });
});

test("a segment with ACK is reset at the sequence number it expects, without an ACK", (t) => {
  t.like(answerToTcp({ flags: 0x10, sequence: 5, acknowledgement: 0xffff_fff0 }), {
    tcpFlags: 0x04,
    tcpSequence: 0xffff_fff0,
    tcpAcknowledgement: 0,
  });
  t.like(answerToTcp({ flags: 0x12, acknowledgement: 9 }), { tcpFlags: 0x04, tcpSequence: 9 });
});

test("without ACK, data, SYN and FIN count, and the number goes around", (t) => {
  const data = Buffer.from("hello");
  t.like(answerToTcp({ flags: 0x01, sequence: 10, data }), { tcpFlags: 0x14, tcpAcknowledgement: 16 });
  t.like(answerToTcp({ flags: 0x00, sequence: 10, data }), { tcpAcknowledgement: 15 });
  t.like(answerToTcp({ flags: 0x03, sequence: 10 }), { tcpAcknowledgement: 12 });
  t.like(answerToTcp({ flags: 0x02, sequence: 0xffff_ffff, data }), { tcpAcknowledgement: 5 });
  t.like(answerToTcp({ sequence: 10, options: Buffer.alloc(4, 1), data }, { options: Buffer.alloc(8, 1) }), {
    tcpAcknowledgement: 16,
  });
});

test("a reset is not answered, nor a segment whose header is not whole", (t) => {
  t.is(answerToTcp({ flags: 0x04 }), null);
  t.is(answerToTcp({ flags: 0x14 }), null);
  t.is(
    answer({ protocol: 6, payload: tcp({ sourcePort: 1, destinationPort: 2, flags: 2 }).subarray(0, 19) }),
    null,
  );
});

test("all else is told that it is prohibited, with its header and eight bytes", (t) => {
  const payload = udp(5_000, 161, Buffer.from("get"));
  const bytes = answer({ payload });
  t.true(bytes !== null && checksumsHold(bytes));
  const packet = parsed(bytes ?? Buffer.alloc(0));
  t.like(packet, {
    source: APPLIANCE,
    destination: CLIENT,
    protocol: 1,
    icmpType: 3,
    icmpCode: 13,
    ttl: 64,
    length: 56,
  });
  const asked = ipv4({ source: CLIENT, destination: MACHINE, protocol: 17, payload });
  t.deepEqual(bytes?.subarray(28), asked.subarray(0, 28));
  t.is(bytes?.readUInt32BE(24), 0, "the unused four bytes (RFC 792)");
});

test("the quote holds the options, and no more than there is", (t) => {
  const options = Buffer.alloc(40, 1);
  const long = answer({ options });
  t.is(long?.length, 20 + 8 + 60 + 8);
  t.true(long !== null && checksumsHold(long));
  const short = answer({ protocol: 47, payload: Buffer.from([1, 2, 3]) });
  t.is(short?.length, 20 + 8 + 23);
  t.true(short !== null && checksumsHold(short), "an odd number of bytes");
  t.is(answer({ protocol: 47, payload: Buffer.alloc(0) })?.length, 20 + 8 + 20);
});

test("ICMP that asks is answered; errors, replies and what is cut off are not", (t) => {
  const types = Array.from({ length: 256 }, (_, type) => type);
  const answered = types.filter((type) => answer({ protocol: 1, payload: icmp(type, 0) }) !== null);
  t.deepEqual(answered, [8, 13, 15, 17, 42]);
  t.is(answer({ protocol: 1, payload: icmp(8, 0).subarray(0, 7) }), null);
});

test("a later fragment is not answered; a first one is, by ICMP where its length is not known", (t) => {
  const payload = tcp({ sourcePort: 1, destinationPort: 2, flags: 2 });
  t.is(answer({ protocol: 6, payload, fragmentOffset: 8 }), null);
  t.is(answer({ fragmentOffset: 8, moreFragments: true }), null);
  t.like(answerToTcp({}, { moreFragments: true }), { protocol: 1, icmpCode: 13 });
  t.like(answerToTcp({ flags: 0x10, acknowledgement: 7 }, { moreFragments: true }), {
    protocol: 6,
    tcpSequence: 7,
  });
  t.like(parsed(answer({ moreFragments: true }) ?? Buffer.alloc(0)), { icmpType: 3 });
});

test("nobody who is not a single host is answered, and nothing that was not sent to one", (t) => {
  const nobody = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
  ];
  const silent = (t2: ExecutionContext, around: Partial<PacketFields>, what: string): void => {
    t2.is(answer(around), null, `${what}, udp`);
    t2.is(answerToTcp({}, around), null, `${what}, tcp`);
  };
  for (const address of nobody) {
    silent(t, { source: address }, `from ${address}`);
    silent(t, { destination: address }, `to ${address}`);
  }
  silent(t, { source: MACHINE }, "to itself");
  t.not(answer({ source: "223.255.255.254" }), null);
});

test("whatever comes, an answer is a sound packet to the sender and never calls for another", (t) => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc
      .record({
        sourcePort: fc.nat(65_535),
        destinationPort: fc.nat(65_535),
        flags: fc.nat(255),
        sequence: fc.nat(),
        data: fc.uint8Array({ maxLength: 9 }),
      })
      .map(tcp),
  );
  const fields = fc.record({
    source: fc.oneof(fc.ipV4(), fc.constant(CLIENT)),
    destination: fc.oneof(fc.ipV4(), fc.constant(MACHINE)),
    protocol: fc.oneof(fc.constantFrom(1, 6, 17), fc.nat(255)),
    payload,
    options: fc.constantFrom(0, 4, 40).map((length) => new Uint8Array(length).fill(1)),
    fragmentOffset: fc.constantFrom(0, 0, 0, 8),
    moreFragments: fc.boolean(),
  });
  let answers = 0;
  fc.assert(
    fc.property(fields, (asked) => {
      const bytes = ipv4(asked);
      const reply = answerTo(parsed(bytes), bytes, APPLIANCE);
      if (reply === null) return true;
      answers++;
      const again = parsed(reply);
      return (
        again.destination === asked.source &&
        again.length === reply.length &&
        reply.length <= 96 &&
        checksumsHold(reply) &&
        (again.protocol === 6) === (asked.protocol === 6 && again.icmpType === -1) &&
        answerTo(again, reply, APPLIANCE) === null
      );
    }),
    { numRuns: 3_000 },
  );
  t.true(answers > 500);
});
