import test from "ava";
import { keyWords } from "../../../src/est/key-words.ts";

test("five words that can be read out, always the same for one key", (t) => {
  const words = keyWords(Buffer.from("a key"));
  t.regex(
    words,
    /^([bdfghjklmnprstvz][aiou]){2}[bdfghjklmnprstvz](-([bdfghjklmnprstvz][aiou]){2}[bdfghjklmnprstvz]){4}$/,
  );
  t.is(keyWords(Buffer.from("a key")), words);
  t.not(keyWords(Buffer.from("another key")), words);
});

test("the words hold the first 80 bits of the SHA-256, 16 bits each", (t) => {
  // SHA-256 of nothing begins e3b0 c442 98fc 1c14 9afb (FIPS 180-4).
  t.is(keyWords(Buffer.of()), "vavub-sidaf-nogus-dubih-norur");
});
