import test from "ava";
import * as fc from "fast-check";
import { canonicalJson } from "../../../src/audit/index.ts";
import { BugError } from "../../../src/base/index.ts";

test("keys are sorted by UTF-16 code units, as the example in RFC 8785, 3.2.3", (t) => {
  const value = { "\u20ac": 5, "\r": 1, "\ufb33": 7, "1": 2, "\ud83d\ude00": 6, "\u0080": 3, "\u00f6": 4 };
  t.is(canonicalJson(value), `{"\\r":1,"1":2,"\u0080":3,"\u00f6":4,"\u20ac":5,"\ud83d\ude00":6,"\ufb33":7}`);
});

test("numbers are written as ECMAScript does, as the examples in RFC 8785, appendix B", (t) => {
  const numbers = [
    0, -0, 5e-324, 1.7976931348623157e308, 9007199254740992, 1e21, 999999999999999900000, 1e-7,
    333333333.3333333,
  ];
  t.is(
    canonicalJson(numbers),
    "[0,0,5e-324,1.7976931348623157e+308,9007199254740992,1e+21,999999999999999900000,1e-7,333333333.3333333]",
  );
});

test("what JSON cannot say is a bug", (t) => {
  for (const value of [Number.NaN, Infinity, 1n, () => 1, undefined, [undefined], { inside: Symbol("x") }]) {
    t.throws(() => canonicalJson(value), { instanceOf: BugError, code: "canonical-json" });
  }
});

test("a key without a value is left out", (t) => {
  t.is(canonicalJson({ b: undefined, a: null }), `{"a":null}`);
});

test("reading it back gives the value, and writing that gives the same text", (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      const back: unknown = JSON.parse(text);
      return canonicalJson(back) === text && sorted(JSON.stringify(back)) === sorted(JSON.stringify(value));
    }),
  );
  t.pass();
});

test("the order in which keys were set makes no difference", (t) => {
  const entries = fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue()), { selector: ([key]) => key });
  fc.assert(
    fc.property(entries, (pairs) => {
      const forth = canonicalJson(Object.fromEntries(pairs));
      return forth === canonicalJson(Object.fromEntries(pairs.toReversed()));
    }),
  );
  t.pass();
});

function sorted(text: string): string {
  return text.split("").toSorted().join("");
}
