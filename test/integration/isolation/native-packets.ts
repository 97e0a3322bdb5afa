/** Packets in and out, as they should be; run by native.test.ts. */
import { spawn } from "node:child_process";
import { until } from "../../support/processes.ts";
import {
  ALL,
  cable,
  frame,
  listen,
  native,
  NOTHING,
  ONLY_OURS,
  openFds,
  OTHERS,
  OURS,
  ip,
  run,
  thrownBy,
  turns,
} from "./native-bed.ts";

/** Swaps an echo request's addresses and makes it the answer; a type lower by 8 is a checksum higher by 0x0800. */
function echoed(packet: Buffer): Buffer {
  const answer = Buffer.from(packet);
  packet.copy(answer, 12, 16, 20);
  packet.copy(answer, 16, 12, 16);
  answer[20] = 0;
  const sum = answer.readUInt16BE(22) + 0x0800;
  answer.writeUInt16BE((sum & 0xffff) + (sum >> 16), 22);
  return answer;
}

/** What follows the MAC addresses, as much as tells which frame it is. */
function begin(hex: string): string {
  return hex.slice(24, 80);
}

await run({
  /** A ping through a TUN device, answered by this process. */
  async ping() {
    const tun = native.openTun("niac0");
    const twice = thrownBy(() => native.openTun("niac0"));
    ip("address", "add", "10.77.0.1/24", "dev", "niac0");
    ip("link", "set", "niac0", "up");
    const kept: Buffer[] = [];
    const watch = native.watch(
      tun,
      16,
      (packets) => {
        for (const packet of packets) {
          // IPv4, ICMP, echo request: not the kernel's own IPv6.
          if (packet[0] !== 0x45 || packet[9] !== 1 || packet[20] !== 8) continue;
          kept.push(packet);
          native.write(tun, echoed(packet));
        }
      },
      (error) => {
        throw error;
      },
    );
    const ping = spawn("ping", ["-c", "3", "-i", "0.2", "-s", "1000", "10.77.0.2"], { stdio: "ignore" });
    const code = await new Promise((resolve) => ping.on("exit", resolve));
    watch.close();
    // Kept buffers are not written over by later packets: the sequence numbers are still those that came.
    const sequence = kept.map((packet) => packet.readUInt16BE(26));
    return {
      code,
      sequence,
      length: kept[0]?.length,
      twice,
      after: thrownBy(() => native.openPacket("niac0", ALL)),
    };
  },

  /** Filters, tags, own frames, length. */
  async frames() {
    const { out } = cable(16_000);
    // Made before, it is handed a frame after the other has been.
    const witness = listen(native.openPacket("niac-a", ONLY_OURS));
    const fd = native.openPacket("niac-a", ONLY_OURS);
    const { watch, heard, errors } = listen(fd);
    const other = native.openPacket("niac-a", NOTHING);
    const dot1q = frame(OURS, "tagged", [[0x8100, 0x6064]]);
    const first = [frame(OURS, "plain"), dot1q];
    native.write(fd, frame(OURS, "own"));
    native.write(other, frame(OURS, "own, by another socket"));
    native.write(out, frame(OTHERS, "of others"));
    for (const one of first) native.write(out, one);
    await until(() => heard.length >= 2, "the frames the filter lets through");
    native.setFilter(fd, NOTHING);
    native.write(out, frame(OURS, "while nothing is let through"));
    await until(() => witness.heard.length === 3, "the frame on the cable");
    witness.watch.close();
    native.setFilter(fd, ALL);
    const double = frame(OURS, "double", [
      [0x88a8, 0x0007],
      [0x8100, 0xe001],
    ]);
    const jumbo = frame(OURS, "jumbo", [], 9_000);
    const long = frame(OURS, "long", [], 12_000);
    const longTagged = frame(OURS, "long, tagged", [[0x8100, 1]], 12_000);
    const second = [double, jumbo, long, longTagged];
    for (const one of second) native.write(out, one);
    const ours = (): string[] =>
      heard.filter((hex) => hex.slice(24).startsWith("88") || hex.slice(24).startsWith("81"));
    await until(() => ours().length >= 6, "the frames after the filter was taken off");
    watch.close();
    const expected = [...first, ...second].map((one) => one.subarray(0, 9_216).toString("hex"));
    return {
      missing: expected.filter((hex) => !heard.includes(hex)).map(begin),
      others: ours()
        .filter((hex) => !expected.includes(hex))
        .map(begin),
      count: ours().length,
      errors,
    };
  },

  /** Frames that find the buffer full are counted, once. */
  async drops() {
    const { out } = cable();
    const fd = native.openPacket("niac-a", ONLY_OURS);
    let sent = 0;
    for (let i = 0; i < 5_000; i++) if (native.write(out, frame(OURS, `${i}`))) sent++;
    const drops = native.packetDrops(fd);
    const again = native.packetDrops(fd);
    const { watch, heard } = listen(fd);
    await until(() => heard.length > 0, "what did not find it full");
    await turns(100);
    watch.close();
    return { dropped: drops > 0 && drops < sent, again, added: heard.length + drops <= sent };
  },

  /** More than can be read: the turns stay short, and everything else of the loop has its turn. */
  async flood() {
    const { out } = cable();
    const fd = native.openPacket("niac-a", ONLY_OURS);
    const seen = { immediates: 0, before: -1, largest: 0, heard: 0, starved: 0 };
    const watch = native.watch(
      fd,
      16,
      (packets) => {
        seen.largest = Math.max(seen.largest, packets.length);
        seen.heard += packets.length;
        if (seen.immediates === seen.before) seen.starved++;
        seen.before = seen.immediates;
      },
      (error) => {
        throw error;
      },
    );
    while (seen.heard < 10_000) {
      await turns(1);
      seen.immediates++;
      for (let i = 0; i < 50; i++) native.write(out, frame(OURS, "flood"));
    }
    watch.close();
    return { largest: seen.largest, starved: seen.starved };
  },

  /** pause() and resume(); after close(), called from within, nothing comes, and the descriptor is free. */
  async ends() {
    const { out } = cable();
    // Hears all that the others might.
    const witness = listen(native.openPacket("niac-a", ONLY_OURS));
    const before = openFds();
    const { watch, heard } = listen(native.openPacket("niac-a", ONLY_OURS));
    watch.pause();
    native.write(out, frame(OURS, "paused"));
    await until(() => witness.heard.length === 1, "the frame on the cable");
    await turns(2);
    const paused = heard.length;
    watch.resume();
    await until(() => heard.length === 1, "the frame that waited");
    watch.close();
    let calls = 0;
    const fd = native.openPacket("niac-a", ONLY_OURS);
    const closing = native.watch(
      fd,
      1,
      () => {
        calls++;
        closing.close();
      },
      () => calls++,
    );
    const second = thrownBy(() =>
      native.watch(
        fd,
        1,
        () => calls++,
        () => calls++,
      ),
    );
    for (let i = 0; i < 10; i++) native.write(out, frame(OURS, "three"));
    await until(() => calls > 0, "the call that closes");
    for (const one of [watch, closing]) {
      one.close();
      one.pause();
      one.resume();
    }
    native.write(out, frame(OURS, "late"));
    await until(() => witness.heard.length === 12, "the last frame on the cable");
    await turns(2);
    const stranger = thrownBy(() => Reflect.apply(Reflect.get(closing, "pause"), {}, []));
    const left = openFds() - before;
    witness.watch.close();
    return { paused, calls, second, stranger, left };
  },
});
