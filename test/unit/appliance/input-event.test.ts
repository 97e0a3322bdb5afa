import test from "ava";
import * as fc from "fast-check";
import {
  EV_KEY,
  EVENT_BYTES,
  parseInputEvents,
  type InputEvent,
} from "../../../src/appliance/input-event.ts";
import { packed } from "./input-samples.ts";

test("an event is read as the kernel lays it out", (t) => {
  const bytes = Buffer.from("112233445566778899aabbccddeeff000100c00201000000", "hex");
  t.deepEqual(parseInputEvents(bytes), {
    events: [{ type: EV_KEY, code: 0x2c0, value: 1 }],
    rest: Buffer.alloc(0),
  });
});

test("values are signed", (t) => {
  const event = { type: 3, code: 0xffff, value: -2_147_483_648 };
  t.deepEqual(parseInputEvents(packed([event])).events, [event]);
});

test("however the stream is split, the same events come out and no byte is lost", (t) => {
  const event = fc.record({
    type: fc.integer({ min: 0, max: 0xffff }),
    code: fc.integer({ min: 0, max: 0xffff }),
    value: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), fc.array(fc.nat(300)), (sent, cuts) => {
      const bytes = packed(sent);
      const places = [...new Set([...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length])].toSorted(
        (a, b) => a - b,
      );
      const heard: InputEvent[] = [];
      let rest: Buffer = Buffer.alloc(0);
      let from = 0;
      for (const to of places) {
        const parsed = parseInputEvents(Buffer.concat([rest, bytes.subarray(from, to)]));
        heard.push(...parsed.events);
        t.true(parsed.rest.length < EVENT_BYTES);
        rest = parsed.rest;
        from = to;
      }
      t.deepEqual(heard, sent);
      t.is(rest.length, 0);
    }),
    { numRuns: 300 },
  );
});
