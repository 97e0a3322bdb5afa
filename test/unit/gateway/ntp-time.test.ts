import test from "ava";
import * as fc from "fast-check";
import { MODE, shifted, millisecondsBetween, type NtpPacket } from "../../../src/gateway/ntp-packet.ts";
import { answerTo, freshQuery, kissCode, viewOf } from "../../../src/gateway/ntp-time.ts";

const NONCE = 0xdeadbeefn;
/** The server's clock where our monotonic clock is 0. */
const SERVER_AT_0 = 0xe1234567_00000000n;

/** The reply of a server to a query sent at `sent`, `there` ms on its way, held for `held`. */
function reply(sent: number, there: number, held: number, more: Partial<NtpPacket> = {}): NtpPacket {
  return {
    ...freshQuery(0n),
    mode: MODE.server,
    stratum: 2,
    precision: -20,
    rootDelay: 0x100,
    rootDispersion: 0x200,
    origin: NONCE,
    receive: shifted(SERVER_AT_0, sent + there),
    transmit: shifted(SERVER_AT_0, sent + there + held),
    ...more,
  };
}

/** Milliseconds between a time and the server's clock at our `at`. */
function offBy(time: bigint, at: number): number {
  return Math.abs(millisecondsBetween(shifted(SERVER_AT_0, at), time));
}

function word(text: string): number {
  return Buffer.from(text, "latin1").readUInt32BE();
}

const QUERY: NtpPacket = { ...freshQuery(0x1122334455667788n), version: 3, poll: 10 };

test("a query says nothing but that it is one", (t) => {
  const said = Object.entries(freshQuery(NONCE)).filter(([, value]) => Number(value) !== 0);
  t.deepEqual(Object.fromEntries(said), { version: 4, mode: 3, transmit: NONCE });
});

test("the machine is told the server's clock at its query's coming and its answer's going", (t) => {
  const millisecond = fc.integer({ min: 0, max: 900 });
  fc.assert(
    fc.property(
      fc.record({
        sent: fc.integer({ min: 0, max: 10_000_000 }),
        there: millisecond,
        held: millisecond,
        before: fc.integer({ min: -900, max: 5_000 }),
        after: millisecond,
      }),
      ({ sent, there, held, before, after }) => {
        // As long there as back, so what is measured is exact.
        const received = sent + 2 * there + held;
        const view = viewOf(NONCE, "10.1.0.1", reply(sent, there, held), sent, received);
        const asked = Math.max(0, sent - before);
        const answered = Math.max(received, asked) + after;
        const answer = answerTo(QUERY, view, asked, answered);
        t.true(offBy(answer.receive, asked) < 0.001);
        t.true(offBy(answer.transmit, answered) < 0.001);
        t.true(offBy(answer.referenceTime, received) < 0.001);
        t.true(Math.abs(view.delay - 2 * there) < 0.001);
      },
    ),
  );
});

test("a way that is longer one way than the other is wrong by half of it, and the root delay owns up to that", (t) => {
  const view = viewOf(NONCE, "10.1.0.1", reply(1_000, 90, 5), 1_000, 1_105);
  const answer = answerTo(QUERY, view, 1_000, 1_105);
  const off = millisecondsBetween(shifted(SERVER_AT_0, 1_105), answer.transmit);
  t.true(Math.abs(off - 40) < 0.001, String(off));
  const owned = ((answer.rootDelay - 0x100) / 65_536) * 1000;
  t.true(owned >= 2 * Math.abs(off) && owned < 101, String(owned));
});

test("the answer is of one stratum more, from the server by its address, with the machine's own words given back", (t) => {
  const view = viewOf(NONCE, "10.1.0.1", reply(0, 1, 0), 0, 2);
  t.like(answerTo(QUERY, view, 0, 2), {
    leap: 0,
    version: 3,
    mode: 4,
    stratum: 3,
    poll: 10,
    precision: -10,
    reference: 0x0a010001,
    origin: 0x1122334455667788n,
  });
  const { rootDispersion } = answerTo(QUERY, view, 0, 2);
  const later = answerTo(QUERY, view, 1_000, 1_002).rootDispersion;
  t.true(rootDispersion > 0x200 && later > rootDispersion, "it grows with time");
  t.is(answerTo({ ...QUERY, mode: MODE.symmetricActive }, view, 0, 2).mode, 2);
  t.is(
    answerTo(QUERY, { ...view, reply: { ...view.reply, leap: 1 } }, 0, 2).leap,
    1,
    "a leap second is announced",
  );
  const great = { ...view, reply: { ...view.reply, rootDelay: 0xffffffff, rootDispersion: 0xffffffff } };
  t.like(answerTo(QUERY, great, 0, 2), { rootDelay: 0xffffffff, rootDispersion: 0xffffffff });
});

test("a server that is not synchronised is passed on as just that", (t) => {
  for (const more of [
    { leap: 3 },
    { stratum: 0 },
    { stratum: 16 },
    { rootDispersion: 16 * 65_536 },
    { rootDelay: 32 * 65_536 },
  ]) {
    const view = viewOf(NONCE, "10.1.0.1", reply(0, 1, 0, more), 0, 2);
    t.false(view.synchronised, JSON.stringify(more));
    const answer = answerTo(QUERY, view, 0, 2);
    t.is(answer.leap, more.leap ?? 0);
    t.is(answer.stratum, more.stratum ?? 2);
    t.is(answer.reference, 0);
  }
  t.true(viewOf(NONCE, "10.1.0.1", reply(0, 1, 0, { stratum: 15 }), 0, 2).synchronised);
});

test("what is no reply to the query is refused", (t) => {
  const wrong: Array<[Partial<NtpPacket>, RegExp]> = [
    [{ origin: NONCE + 1n }, /transmit time/],
    [{ mode: 3 }, /mode is 3/],
    [{ mode: 5 }, /mode is 5/],
    [{ version: 0 }, /version is 0/],
    [{ version: 5 }, /version is 5/],
    [{ transmit: 0n }, /no transmit time/],
    [{ receive: shifted(SERVER_AT_0, 500) }, /held for -499 ms/],
    [{ receive: shifted(SERVER_AT_0, -500) }, /held for 501 ms/],
  ];
  for (const [more, message] of wrong)
    t.throws(() => viewOf(NONCE, "10.1.0.1", reply(0, 1, 0, more), 0, 2), { code: "ntp-reply", message });
  t.notThrows(() => viewOf(NONCE, "10.1.0.1", reply(0, 1, 0, { version: 3 }), 0, 2));
});

test("a kiss-o'-death has a code", (t) => {
  t.is(kissCode(reply(0, 0, 0, { stratum: 0, reference: word("RATE") })), "RATE");
  t.is(kissCode(reply(0, 0, 0, { stratum: 0, reference: word("GO\0\0") })), null);
  t.is(kissCode(reply(0, 0, 0, { stratum: 0, reference: 0 })), null);
  t.is(kissCode(reply(0, 0, 0, { stratum: 1, reference: word("GPS\0") })), null);
});
