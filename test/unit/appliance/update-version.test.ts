import test from "ava";
import {
  compareVersions,
  isVersion,
  newestVersion,
  releaseOf,
} from "../../../src/appliance/update-version.ts";

/** Semantic Versioning 2.0.0, 11.4.4, and around it. */
const RISING = [
  "0.0.1",
  "0.1.0",
  "0.9.10",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "1.0.1",
  "1.2.0",
  "1.10.0",
  "999999999.0.0",
];

test("versions rise as the standard says, every one against every other", (t) => {
  for (const [left, a] of RISING.entries())
    for (const [right, b] of RISING.entries())
      t.is(Math.sign(compareVersions(a, b)), Math.sign(left - right), `${a} and ${b}`);
});

for (const text of [
  "",
  "1",
  "1.2",
  "1.2.3.4",
  "01.2.3",
  "1.2.3-",
  "1.2.3-01",
  "1.2.3+build",
  "v1.2.3",
  "1.2.3\n",
  "1.2.3-RC",
  "1.2.3-a..b",
  "1234567890.0.0",
]) {
  test(`no version: ${JSON.stringify(text)}`, (t) => {
    t.false(isVersion(text));
    t.throws(() => compareVersions(text, "1.0.0"), { instanceOf: RangeError });
    t.throws(() => releaseOf(text), { instanceOf: RangeError });
  });
}

test("the newest of some, and of none", (t) => {
  t.is(newestVersion(["1.0.0-rc.1", "0.9.9", "1.0.0"]), "1.0.0");
  t.is(newestVersion([]), null);
});

test("the release that a version comes before", (t) => {
  t.is(releaseOf("1.4.0-rc.2"), "1.4.0");
  t.is(releaseOf("1.4.0"), "1.4.0");
});
