import test from "ava";
import {
  Attempts,
  Connections,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_SOURCE,
  sourceOf,
} from "../../../src/enrolment/http-limits.ts";

const MINUTE = 60_000;

test("an IPv4 address is a source, of IPv6 a network of 64 bits", (t) => {
  t.is(sourceOf("10.1.2.3"), "10.1.2.3");
  t.is(sourceOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  t.is(sourceOf("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  t.is(sourceOf("2001:db8::9"), "2001:db8:0:0::/64");
  t.is(sourceOf("::1"), "0:0:0:0::/64");
  t.is(sourceOf("fe80::1%eth0"), "fe80:0:0:0::/64");
});

test("ten failed attempts are free; then one comes back a minute", (t) => {
  const attempts = new Attempts();
  for (let count = 0; count < 10; count++) {
    t.is(attempts.wait("a", 0), 0);
    attempts.failed("a", 0);
  }
  t.is(attempts.wait("a", 0), MINUTE);
  t.is(attempts.wait("a", MINUTE - 1), 1);
  t.is(attempts.wait("a", MINUTE), 0);
  attempts.failed("a", MINUTE);
  t.is(attempts.wait("a", MINUTE), MINUTE, "and no more than one");
  t.is(attempts.wait("a", 11 * MINUTE), 0);
  for (let count = 0; count < 10; count++) attempts.failed("a", 20 * MINUTE);
  t.is(attempts.wait("a", 20 * MINUTE), MINUTE, "ten again after a long time, and not more");
  t.is(attempts.wait("b", 20 * MINUTE), 0, "another source is another matter");
});

test("attempts beyond the limit do not make the wait longer: nobody is locked out for good", (t) => {
  const attempts = new Attempts();
  for (let count = 0; count < 1_000; count++) attempts.failed("a", 0);
  t.is(attempts.wait("a", MINUTE), 0);
});

test("sources are forgotten, the longest silent first, before they are too many", (t) => {
  const attempts = new Attempts();
  for (let count = 0; count < 10; count++) attempts.failed("first", 0);
  for (let index = 0; index < 9_999; index++) attempts.failed(`source-${index}`, 0);
  t.true(attempts.wait("first", 0) > 0);
  attempts.failed("one more", 0);
  t.is(attempts.wait("first", 0), 0);
});

test("at the limit of one source its oldest silent connection makes room, and none of another's", (t) => {
  const connections = new Connections();
  const cut: string[] = [];
  const enter = (key: string, source: string): boolean => connections.enter(key, source, () => cut.push(key));
  t.true(enter("other", "b"));
  for (let index = 0; index < MAX_CONNECTIONS_PER_SOURCE; index++) t.true(enter(`a${index}`, "a"));
  connections.busy("a0");
  t.true(enter("new", "a"));
  t.deepEqual(cut, ["a1"]);
  for (let index = 2; index < MAX_CONNECTIONS_PER_SOURCE; index++) connections.busy(`a${index}`);
  connections.busy("new");
  t.false(enter("newer", "a"), "all of them are being answered");
  connections.leave("a0");
  t.true(enter("newer", "a"));
});

test("at the limit of all the oldest silent connection makes room, whoever's it is", (t) => {
  const connections = new Connections();
  const cut: string[] = [];
  for (let index = 0; index < MAX_CONNECTIONS; index++) {
    t.true(connections.enter(String(index), `source-${index}`, () => cut.push(String(index))));
  }
  connections.busy("0");
  t.true(connections.enter("new", "z", () => cut.push("new")));
  t.deepEqual(cut, ["1"]);
  t.is(connections.count, MAX_CONNECTIONS);
  connections.cutAll();
  t.is(connections.count, 0);
  t.is(cut.length, MAX_CONNECTIONS + 1);
});
