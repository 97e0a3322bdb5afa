import test from "ava";
import { BugError } from "../../../src/base/index.ts";
import { mayBeSent } from "../../../src/machine/transaction.ts";
import { Ask, permitFor, reading, writing } from "./requests.ts";

test("a read may be sent without a permit", (t) => {
  t.notThrows(() => mayBeSent(new Ask(reading(0))));
});

test("a write without a permit is niac's own bug and stops", (t) => {
  t.throws(() => mayBeSent(new Ask(writing(0, 1))), { instanceOf: BugError, code: "write-without-permit" });
});

test("a write goes with the permit made for that very operation", (t) => {
  const operation = writing(0, 1);
  t.notThrows(() => mayBeSent(new Ask(operation, permitFor(operation))));
});

test("a permit for an operation that only looks the same does not carry another", (t) => {
  t.throws(() => mayBeSent(new Ask(writing(0, 1), permitFor(writing(0, 1)))), {
    code: "write-without-permit",
  });
});

test("what niac does not know counts as a write", (t) => {
  const unknown = { ...reading(0), functionCode: 100, reads: null };
  t.throws(() => mayBeSent(new Ask(unknown)), { code: "write-without-permit" });
  t.notThrows(() => mayBeSent(new Ask(unknown, permitFor(unknown))));
});
