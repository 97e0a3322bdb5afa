import test from "ava";
import * as fc from "fast-check";
import { renewalTime, retryPause } from "../../../src/laptop/schedule.ts";

const DAY = 86_400_000;
const LIFE = { notBefore: 1_000 * DAY, notAfter: 1_090 * DAY };

const lives = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 41 }), fc.integer({ min: 1_000, max: 10_000 * DAY }))
  .map(([notBefore, length]) => ({ notBefore, notAfter: notBefore + length }));

test("a certificate of 90 days is renewed between its 55th and its 60th day", (t) => {
  const certificates = fc.uint8Array({ minLength: 1, maxLength: 64 });
  fc.assert(
    fc.property(certificates, (certificate) => {
      const days = (renewalTime(LIFE, certificate) - LIFE.notBefore) / DAY;
      return days > 55 && days <= 60;
    }),
  );
  t.pass();
});

test("for one certificate it is always the same moment; others have others", (t) => {
  const times = Array.from({ length: 50 }, (_, index) => renewalTime(LIFE, Buffer.of(index)));
  t.deepEqual(
    times,
    Array.from({ length: 50 }, (_, index) => renewalTime(LIFE, Buffer.of(index))),
  );
  t.true(new Set(times).size > 45);
});

test("it is within the life whatever that is, and a third of it is left", (t) => {
  fc.assert(
    fc.property(lives, fc.uint8Array({ maxLength: 8 }), (life, certificate) => {
      const left = life.notAfter - renewalTime(life, certificate);
      return (
        left >= Math.floor((life.notAfter - life.notBefore) / 3) && left < life.notAfter - life.notBefore
      );
    }),
  );
  t.pass();
});

test("pauses double from a minute to an hour, less up to half by chance", (t) => {
  const longest = [1, 2, 3, 6, 7, 100].map((failures) => retryPause(failures, LIFE, 1) / 60_000);
  t.deepEqual(longest, [1, 2, 4, 32, 60, 60]);
  t.is(retryPause(1, LIFE, 0), 30_000);
});

test("there is room for a dozen tries and more in what is left of any life", (t) => {
  fc.assert(
    fc.property(
      lives,
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (life, failures, share) => {
        const pause = retryPause(failures, life, share);
        return pause >= 0 && pause * 13 <= (life.notAfter - life.notBefore) / 3 + 13;
      },
    ),
  );
  t.pass();
});
