import test from "ava";
import { Ways } from "../../../src/isolation/forwards.ts";
import { PROTOCOL, TCP_FLAG } from "../../../src/isolation/packet/ipv4.ts";
import { planOf } from "../../../src/isolation/plan.ts";
import { RefusalBook } from "../../../src/isolation/refusals.ts";
import { Sinkhole } from "../../../src/isolation/sinkhole.ts";
import { PORTS } from "../../vectors/isolation/cases.ts";
import { TestClock } from "./clock.ts";
import { ipv4, tcp, udp } from "./packet/build.ts";
import { historian, hmi, press, snapshot } from "./snapshots.ts";

const [PRESS, HMI, HISTORIAN] = [press.address ?? "", hmi.address ?? "", historian.address ?? ""];
const RANGE = { ...historian, name: "range", ports: [{ start: 4_010, end: 4_011 }] };

/** A sinkhole of the plan in force; `refuse` is what the kernel hands to it. */
function bed() {
  const ways = new Ways(planOf({ ...snapshot, destinations: [historian, RANGE] }, PORTS));
  const book = new RefusalBook(new TestClock(), () => "id");
  book.use(snapshot, []);
  const written: Buffer[] = [];
  let hear: ((packets: Buffer[]) => void) | null = null;
  const native = {
    openTun: () => 7,
    watch: (_fd: number, _perTurn: number, onPackets: (packets: Buffer[]) => void) => {
      hear = onPackets;
      return { pause: () => {}, resume: () => {}, close: () => {} };
    },
    write: (_fd: number, packet: Buffer) => written.push(packet) > 0,
  };
  const sinkhole = new Sinkhole(
    native,
    book,
    (packet) => ways.permits(packet),
    () => {},
  );
  return { sinkhole, book, written, refuse: (packet: Buffer) => hear?.([packet]) };
}

function segment(source: string, sourcePort: number, destination: string, destinationPort: number): Buffer {
  const payload = tcp({ sourcePort, destinationPort, flags: TCP_FLAG.ack, acknowledgement: 9 });
  return ipv4({ source, destination, protocol: PROTOCOL.tcp, payload });
}

test("what the plan in force lets pass is neither answered nor on record where the kernel refused it for a moment", (t) => {
  const { sinkhole, book, written, refuse } = bed();
  for (const port of [1_433, 4_010, 4_011]) {
    refuse(segment(PRESS, 50_000, HISTORIAN, port));
    refuse(segment(HISTORIAN, port, PRESS, 50_000));
  }
  t.deepEqual(written, []);
  t.deepEqual(book.view(), []);
  sinkhole.close();
});

test("all else is answered and on record: another port, machine, direction or transport", (t) => {
  const { sinkhole, book, written, refuse } = bed();
  const refused = [
    segment(PRESS, 50_000, HISTORIAN, 4_012),
    segment(HMI, 50_000, HISTORIAN, 1_433),
    segment(PRESS, 1_433, HISTORIAN, 50_000),
    ipv4({
      source: PRESS,
      destination: HISTORIAN,
      protocol: PROTOCOL.udp,
      payload: udp(50_000, 1_433, Buffer.of(1)),
    }),
  ];
  for (const packet of refused) refuse(packet);
  t.is(written.length, refused.length);
  t.is(
    book.view().reduce((sum, { packets }) => sum + packets, 0),
    refused.length,
  );
  sinkhole.close();
});
