import test from "ava";
import { newCode, readCode } from "../../../src/enrolment/enrol-code.ts";

test("codes have 16 digits of Crockford's base32 in groups of four, and none comes twice", (t) => {
  const codes = Array.from({ length: 2_000 }, () => newCode());
  for (const code of codes) t.regex(code, /^[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
  t.is(new Set(codes).size, codes.length);
  t.is(new Set(codes.join("").replaceAll("-", "")).size, 32, "every digit comes");
});

test("what was made is read back, however it is typed", (t) => {
  const code = newCode();
  const digits = code.replaceAll("-", "");
  t.is(readCode(code), digits);
  t.is(readCode(` ${code.toLowerCase().replaceAll("-", " ")} `), digits);
  t.is(readCode("OIL0-0000-0000-0000"), "0110000000000000");
  t.is(readCode("oil0 0000 0000 0000"), "0110000000000000");
});

test("anything else is no code", (t) => {
  for (const typed of [
    "",
    "0000-0000-0000-000",
    "0000-0000-0000-00000",
    "U000-0000-0000-0000",
    "0".repeat(10_000),
  ]) {
    t.is(readCode(typed), null);
  }
});
