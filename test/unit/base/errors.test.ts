import test from "ava";
import {
  BugError,
  messageOf,
  NiacError,
  PeerError,
  systemCode,
  UnavailableError,
  UsageError,
} from "../../../src/base/index.ts";

test("each family has its name, code, message, advice and cause", (t) => {
  for (const Family of [PeerError, UsageError, UnavailableError, BugError]) {
    const cause = new Error("underneath");
    const error = new Family("disk-full", "the disk is full", "Free some space.", { cause });
    t.true(error instanceof NiacError && error instanceof Error);
    t.like(error, {
      name: Family.name,
      code: "disk-full",
      message: "the disk is full",
      advice: "Free some space.",
      cause,
    });
    t.is(new Family("disk-full", "the disk is full").advice, undefined);
  }
});

test("systemCode is the code of a system error, and empty for anything else", (t) => {
  t.is(systemCode(Object.assign(new Error("refused"), { code: "ECONNREFUSED" })), "ECONNREFUSED");
  t.is(systemCode(Object.assign(new Error("odd"), { code: 42 })), "");
  for (const other of [new Error("none"), { code: "ENOENT" }, "ENOENT", null, undefined])
    t.is(systemCode(other), "");
});

test("messageOf shows the message alone, never a stack", (t) => {
  t.is(messageOf(new UsageError("x", "said so")), "said so");
  t.is(messageOf("text"), "text");
  t.is(messageOf(undefined), "undefined");
});
