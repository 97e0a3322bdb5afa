import test from "ava";
import * as fc from "fast-check";
import {
  compileMoment,
  endText,
  isTimeZone,
  readDays,
  readHours,
  readMoment,
  startOfDay,
} from "../../../src/site/calendar.ts";
import { compileWhen } from "../../../src/site/compile-rule.ts";
import type { When } from "../../../src/site/index.ts";

test("days and ranges, over the week's end too", (t) => {
  t.deepEqual(readDays("mon"), { value: [0] });
  t.deepEqual(readDays("mon-fri"), { value: [0, 1, 2, 3, 4] });
  t.deepEqual(readDays("sat-mon"), { value: [5, 6, 0] });
  t.deepEqual(readDays("sun - sun"), { value: [6] });
  for (const bad of ["", "mo", "mon-", "mon-tue-wed", 1, null]) t.true("mistake" in readDays(bad));
});

test("hours to the minute, the last one 24:00", (t) => {
  t.deepEqual(readHours("06:00-18:30"), { value: { start: 360, end: 1110 } });
  t.deepEqual(readHours("00:00-24:00"), { value: { start: 0, end: 1440 } });
  t.deepEqual(readHours("22:00-06:00"), { value: { start: 1320, end: 360 } });
  for (const bad of ["6:00-18:00", "06:00-24:01", "24:00-06:00", "06:60-07:00", "06:00-06:00", "06:00", 6]) {
    t.true("mistake" in readHours(bad), String(bad));
  }
});

test("dates that exist, and times with their offset", (t) => {
  t.deepEqual(readMoment("2028-02-29"), { value: { kind: "date", year: 2028, month: 2, day: 29 } });
  t.deepEqual(readMoment("2026-06-01T08:00:00+02:00"), {
    value: { kind: "instant", at: Date.UTC(2026, 5, 1, 6) },
  });
  for (const bad of [
    "2026-02-29",
    "2026-13-01",
    "2026-1-1",
    "2026-06-01T08:00",
    "2026-02-30T08:00Z",
    "2026-06-01T25:00Z",
    2026,
  ]) {
    t.true("mistake" in readMoment(bad), String(bad));
  }
});

test("a date begins at its local midnight and ends with the next one", (t) => {
  const date = { kind: "date", year: 2026, month: 10, day: 25 } as const;
  t.is(compileMoment(date, "Europe/Berlin", false), Date.UTC(2026, 9, 24, 22));
  t.is(compileMoment(date, "Europe/Berlin", true), Date.UTC(2026, 9, 25, 23)); // a day of 25 hours
  t.is(compileMoment({ ...date, month: 12, day: 31 }, "UTC", true), Date.UTC(2027, 0, 1));
  t.is(compileMoment(date, "Asia/Kolkata", false), Date.UTC(2026, 9, 24, 18, 30));
});

test("a day without midnight begins when the clock is put forward", (t) => {
  // Beirut, 30 March 2025: 00:00 became 01:00.
  t.is(startOfDay("Asia/Beirut", 2025, 3, 30), Date.UTC(2025, 2, 29, 22));
  // Havana, 2 November 2025: 01:00 became 00:00 once more; the day begins at the first midnight.
  t.is(startOfDay("America/Havana", 2025, 11, 2), Date.UTC(2025, 10, 2, 4));
});

test("time zones Intl knows", (t) => {
  t.true(isTimeZone("Europe/Berlin"));
  t.false(isTimeZone("Europe/Berln"));
  t.false(isTimeZone(""));
});

function matches(whens: readonly When[], day: number, minute: number): boolean {
  return whens.some(({ days, hours }) => {
    const onDay = days === null || days.includes(day);
    return onDay && (hours === null || hours.some(({ start, end }) => start <= minute && minute < end));
  });
}

test("hours over midnight belong to the day they begin on, for every minute of the week", (t) => {
  const time = fc.nat(143).map((tens) => tens * 10);
  const span = fc.tuple(time, time).filter(([start, end]) => start !== end);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(6), { minLength: 1 }),
      fc.array(span, { minLength: 1, maxLength: 3 }),
      (days, spans) => {
        const hours = spans.map(([start, end]) => ({ start, end }));
        const compiled = compileWhen({ days: [days], hours }, "UTC");
        for (let day = 0; day < 7; day += 1) {
          for (let minute = 0; minute < 1440; minute += 5) {
            const before = (day + 6) % 7;
            const expected = hours.some(({ start, end }) =>
              start < end
                ? days.includes(day) && start <= minute && minute < end
                : (days.includes(day) && minute >= start) || (days.includes(before) && minute < end),
            );
            if (matches(compiled, day, minute) !== expected) t.fail(`day ${day}, minute ${minute}`);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
  t.pass();
});

test("the whole day and every day are no limits", (t) => {
  const [when, ...more] = compileWhen(
    {
      days: [[0, 1, 2, 3, 4, 5, 6]],
      hours: [
        { start: 0, end: 720 },
        { start: 720, end: 1440 },
      ],
    },
    "UTC",
  );
  t.deepEqual(when, { days: null, hours: null, from: null, until: null, keySwitch: null });
  t.deepEqual(more, []);
});

test("an end is told as its last day, or as its instant", (t) => {
  const day = { kind: "date", year: 2027, month: 6, day: 30 } as const;
  for (const zone of ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"]) {
    t.is(endText(compileMoment(day, zone, true), zone), "2027-06-30");
  }
  // The day before clocks go forward at midnight.
  t.is(
    endText(compileMoment({ ...day, year: 2026, month: 4, day: 23 }, "Africa/Cairo", true), "Africa/Cairo"),
    "2026-04-23",
  );
  t.is(endText(Date.UTC(2027, 5, 30, 12), "Europe/Berlin"), "2027-06-30T12:00:00Z");
  t.is(endText(Date.UTC(2027, 6, 1), "Europe/Berlin"), "2027-07-01T00:00:00Z");
});
