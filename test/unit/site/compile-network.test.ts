import test from "ava";
import { withStandIns } from "../../../src/site/compile-network.ts";
import { Reporter } from "../../../src/site/findings.ts";
import { ipv4Text, MAX_STAND_INS } from "../../../src/site/ipv4.ts";
import type { Machine } from "../../../src/site/index.ts";

function machine(index: number, address: string | null): Machine {
  return {
    name: `m${index}`,
    description: "",
    whenUnrecorded: "readOnly",
    address,
    mac: null,
    ping: false,
    standIn: null,
    services: [],
  };
}

function machines(count: number): readonly Machine[] {
  return Array.from({ length: count }, (_, index) => machine(index, ipv4Text(0x0a_00_00_01 + index)));
}

function reporter(): Reporter {
  return new Reporter(() => ({ line: 1, column: 1 }));
}

test("stand-ins are handed out in order, over the last octet, to machines with an address", (t) => {
  const [first, none, ...others] = withStandIns(
    [machine(0, "10.0.0.1"), machine(1, null), ...machines(300)],
    reporter(),
  );
  t.is(first?.standIn, "198.18.1.1");
  t.is(none?.standIn, null);
  t.is(others[0]?.standIn, "198.18.1.2");
  t.is(others[253]?.standIn, "198.18.1.255");
  t.is(others[254]?.standIn, "198.18.2.0");
});

test("as many machines as there are stand-ins, and not one more", (t) => {
  const enough = reporter();
  t.is(withStandIns(machines(MAX_STAND_INS), enough).at(-1)?.standIn, "198.18.235.96");
  t.is(enough.errors, 0);
  const beyond = reporter();
  withStandIns(machines(MAX_STAND_INS + 1), beyond);
  t.deepEqual(
    beyond.list().map(({ message }) => message),
    ["more than 60000 machines have an address of their own"],
  );
});
