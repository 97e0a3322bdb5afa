import test from "ava";
import { durationText, readDuration, readName, readText, shown } from "../../../src/site/scalar.ts";

test("names are DNS labels", (t) => {
  for (const good of ["a", "press-4", "4", "a".repeat(63)]) t.deepEqual(readName(good), { value: good });
  for (const bad of ["", "-a", "a-", "A", "a.b", "a_b", "a".repeat(64), 4, null])
    t.true("mistake" in readName(bad), String(bad));
  t.like(readName("Press 4"), { mistake: { suggestion: "press-4" } });
});

test("text is printable and at most so long", (t) => {
  t.deepEqual(readText("Änne Weiß"), { value: "Änne Weiß" });
  t.deepEqual(readText("x".repeat(255)), { value: "x".repeat(255) });
  for (const bad of [
    "x".repeat(256),
    "",
    " ",
    " a",
    "a\n",
    "a\u0000b",
    "a\u202Eb",
    "a\u200Bb",
    "\uD800",
    7,
    true,
    null,
    [],
  ]) {
    t.true("mistake" in readText(bad), String(bad));
  }
  t.like(readText(7), { mistake: { suggestion: '"7"' } });
});

test("durations with their unit, within limits", (t) => {
  t.deepEqual(readDuration("250ms", 1, 1000), { value: 250 });
  t.deepEqual(readDuration("15m", 1, 900_000), { value: 900_000 });
  t.deepEqual(readDuration("1h", 1, 3_600_000), { value: 3_600_000 });
  for (const bad of ["1001ms", "0s", "1", 1, "1 s", "01s", "1.5s", "-1s", "1d", "", null]) {
    t.true("mistake" in readDuration(bad, 1, 1000), String(bad));
  }
  for (const text of ["250ms", "10s", "15m", "2h", "90s"]) {
    const reading = readDuration(text, 1, 10_000_000);
    t.is("value" in reading ? durationText(reading.value) : "", text);
  }
});

test("values shown in messages are short", (t) => {
  t.is(shown("x".repeat(100)), `${"x".repeat(60)}...`);
  t.is(shown([1]), "a list");
  t.is(shown({}), "a mapping");
  t.is(shown(null), "nothing");
  t.is(shown(""), '""');
});
