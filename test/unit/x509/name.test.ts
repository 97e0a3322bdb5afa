import test from "ava";
import * as fc from "fast-check";
import { makeName, nameText, readName, type AttributeName } from "../../../src/x509/index.ts";
import { codeOf } from "./made.ts";

const text = (...attributes: readonly (readonly [AttributeName, string])[]): string =>
  nameText(readName(makeName(attributes), "x"));

test("a name is written in the order given, each attribute in its own encoding", (t) => {
  t.is(
    text(["C", "DE"], ["O", "Plant 7"], ["OU", "maintenance"], ["CN", "alice"]),
    "CN=alice,OU=maintenance,O=Plant 7,C=DE",
  );
  t.is(text(["DC", "example"], ["UID", "a1"], ["serialNumber", "42"]), "serialNumber=42,UID=a1,DC=example");
  const tags = readName(
    makeName([
      ["C", "DE"],
      ["DC", "plant"],
      ["CN", "Jürgen"],
      ["L", "x"],
      ["ST", "y"],
    ]),
    "x",
  ).map(([attribute]) => attribute?.value.tag);
  t.deepEqual(tags, [0x13, 0x16, 0x0c, 0x0c, 0x0c]);
  t.is(makeName([]).toString("hex"), "3000");
});

test("upper bounds of RFC 5280, counted in characters: taken at the bound, refused one over, and empty", (t) => {
  const bounds: readonly (readonly [AttributeName, number])[] = [
    ["CN", 64],
    ["O", 64],
    ["OU", 64],
    ["serialNumber", 64],
    ["L", 128],
    ["ST", 128],
    ["UID", 256],
    ["DC", 63],
    ["C", 2],
  ];
  for (const [name, max] of bounds) {
    t.is(
      codeOf(() => makeName([[name, "a".repeat(max)]])),
      "accepted",
      name,
    );
    t.is(
      codeOf(() => makeName([[name, "a".repeat(max + 1)]])),
      "name-length",
      name,
    );
    t.is(
      codeOf(() => makeName([[name, ""]])),
      "name-length",
      name,
    );
  }
  t.is(
    codeOf(() => makeName([["CN", "🛠".repeat(64)]])),
    "accepted",
  );
  t.is(
    codeOf(() => makeName([["DC", "ü"]])),
    "text",
  );
  t.is(
    codeOf(() => makeName([["C", "D@"]])),
    "text",
  );
});

test("every common name is read back as it was written", (t) => {
  const value = fc.string({ unit: "binary", minLength: 1, maxLength: 64 });
  fc.assert(
    fc.property(value, (cn) => {
      const [attributes] = readName(makeName([["CN", cn]]), "x");
      return Buffer.from(attributes?.[0]?.value.content ?? []).toString() === cn;
    }),
  );
  t.pass();
});
