import { createSecretKey, randomBytes } from "node:crypto";
import test from "ava";
import * as fc from "fast-check";
import { openWith, SEAL_OVERHEAD, sealWith } from "../../../src/seal/seal.ts";

const key = createSecretKey(randomBytes(32));

test("what is sealed opens the same, and is longer by a known number of bytes", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ minLength: 1 }), (plain, about) => {
      const sealed = sealWith(key, about, plain);
      t.is(sealed.length, plain.length + SEAL_OVERHEAD);
      t.deepEqual(openWith(key, about, sealed), Buffer.from(plain));
    }),
  );
});

test("the same text sealed twice is not the same bytes", (t) => {
  const plain = Buffer.from("a key");
  t.false(sealWith(key, "a", plain).equals(sealWith(key, "a", plain)));
});

test("every flipped bit, every truncation and a byte more are refused", (t) => {
  const sealed = sealWith(key, "authority key 1", Buffer.from("a secret"));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed);
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.is(openWith(key, "authority key 1", altered), null, `bit ${bit}`);
  }
  for (let length = 0; length < sealed.length; length++) {
    t.is(openWith(key, "authority key 1", sealed.subarray(0, length)), null, `${length} bytes`);
  }
  t.is(openWith(key, "authority key 1", Buffer.concat([sealed, Buffer.of(0)])), null);
});

test("another purpose or another key does not open it", (t) => {
  const sealed = sealWith(key, "authority key 1", Buffer.from("a secret"));
  t.is(openWith(key, "authority key 2", sealed), null);
  t.is(openWith(key, "", sealed), null);
  t.is(openWith(createSecretKey(randomBytes(32)), "authority key 1", sealed), null);
});
