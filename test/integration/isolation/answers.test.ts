/** A second opinion: Wireshark's dissectors must find in niac's answers and ARP what niac meant, with every checksum right. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerTo } from "../../../src/isolation/packet/answer.ts";
import { arpAnnouncement, arpRequest } from "../../../src/isolation/packet/arp.ts";
import { parseIpv4 } from "../../../src/isolation/packet/ipv4.ts";
import { testWith } from "../../support/tools.ts";
import { icmp, ipv4, type PacketFields, tcp, udp } from "../../unit/isolation/packet/build.ts";

const MACHINE = "10.20.0.50";
const CLIENT = "10.20.0.66";
const RAW = 101;
const ETHERNET = 1;

function answer(fields: Pick<PacketFields, "protocol" | "payload"> & Partial<PacketFields>): Buffer {
  const bytes = ipv4({ source: CLIENT, destination: MACHINE, ...fields });
  const packet = parseIpv4(bytes);
  const reply = "problem" in packet ? null : answerTo(packet, bytes, "10.20.0.2");
  if (reply === null) throw new Error("no answer");
  return reply;
}

function capture(linkType: number, packets: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(linkType, 20);
  const records = packets.flatMap((packet, i) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1_700_000_000 + i, 0);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    return [record, packet];
  });
  return Buffer.concat([header, ...records]);
}

/** One line of `fields`, parted by a space, for each packet. */
function tshark(linkType: number, packets: readonly Buffer[], fields: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), "niac-answers-"));
  try {
    const file = join(directory, "answers.pcap");
    writeFileSync(file, capture(linkType, packets));
    const checks = ["ip", "tcp"].flatMap((protocol) => ["-o", `${protocol}.check_checksum:TRUE`]);
    const shown = [
      "-T",
      "fields",
      "-E",
      "separator=/s",
      "-E",
      "occurrence=f",
      ...fields.flatMap((field) => ["-e", field]),
    ];
    const out = execFileSync(
      "tshark",
      ["-n", "-r", file, "-o", "tcp.relative_sequence_numbers:FALSE", ...checks, ...shown],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    return out.split("\n").slice(0, -1);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const testTshark = testWith("tshark");

testTshark("Wireshark finds resets that answer their segments, checksums right", async (t) => {
  const ports = { sourcePort: 40_000, destinationPort: 502 };
  const packets = [
    answer({ protocol: 6, payload: tcp({ ...ports, flags: 2, sequence: 1_000 }) }),
    answer({
      protocol: 6,
      payload: tcp({ ...ports, flags: 0x18, acknowledgement: 0xfedc_ba98, data: Buffer.from("x") }),
    }),
    answer({
      protocol: 6,
      payload: tcp({ ...ports, flags: 0x29, sequence: 0xffff_fff0, data: Buffer.alloc(99) }),
    }),
  ];
  const fields = [
    "_ws.malformed",
    "ip.src",
    "ip.dst",
    "ip.ttl",
    "ip.checksum.status",
    "tcp.checksum.status",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "tcp.seq",
    "tcp.ack",
  ];
  // 1: the checksum is good.
  t.deepEqual(tshark(RAW, packets, fields), [
    ` ${MACHINE} ${CLIENT} 64 1 1 502 40000 0x0014 0 1001`,
    ` ${MACHINE} ${CLIENT} 64 1 1 502 40000 0x0004 4275878552 0`,
    ` ${MACHINE} ${CLIENT} 64 1 1 502 40000 0x0014 0 84`,
  ]);
});

testTshark("Wireshark finds ICMP errors that quote what they answer, checksums right", async (t) => {
  const packets = [
    answer({ protocol: 17, payload: udp(5_000, 161, Buffer.from("odd")) }),
    answer({ protocol: 1, payload: icmp(8, 0), options: Buffer.alloc(40, 1) }),
    answer({ protocol: 47, payload: Buffer.from([0, 0, 8]) }),
  ];
  const fields = [
    "ip.src",
    "ip.dst",
    "ip.ttl",
    "ip.dsfield.dscp",
    "ip.checksum.status",
    "icmp.type",
    "icmp.code",
    "icmp.checksum.status",
    "frame.len",
  ];
  t.deepEqual(
    tshark(RAW, packets, fields),
    [56, 96, 51].map((length) => `10.20.0.2 ${CLIENT} 64 48 1 3 13 1 ${length}`),
  );
});

testTshark("Wireshark finds an announcement and a probe as RFC 5227 has them", async (t) => {
  const packets = [
    arpAnnouncement("02:00:00:00:00:01", MACHINE),
    arpRequest("02:00:00:00:00:01", "0.0.0.0", MACHINE),
  ];
  const fields = [
    "eth.dst",
    "arp.opcode",
    "arp.src.hw_mac",
    "arp.src.proto_ipv4",
    "arp.dst.proto_ipv4",
    "arp.isannouncement",
    "arp.isprobe",
  ];
  const [announcement = "", probe = ""] = tshark(ETHERNET, packets, fields);
  t.regex(
    announcement,
    /^ff:ff:ff:ff:ff:ff 1 02:00:00:00:00:01 10\.20\.0\.50 10\.20\.0\.50 (1|True) ?(0|False)?$/,
  );
  t.regex(probe, /^ff:ff:ff:ff:ff:ff 1 02:00:00:00:00:01 0\.0\.0\.0 10\.20\.0\.50 (0|False)? ?(1|True)$/);
});
