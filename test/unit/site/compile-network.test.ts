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

test("a stand-in follows from the machine's own address, whatever other machines there are", (t) => {
  const [first, none] = withStandIns([machine(0, "10.20.0.12"), machine(1, null)], reporter());
  t.is(none?.standIn, null);
  for (const others of [machines(1), machines(300)]) {
    const found = withStandIns([...others, machine(500, "10.20.0.12")], reporter()).at(-1);
    t.is(found?.standIn, first?.standIn);
  }
  t.regex(first?.standIn ?? "", /^198\.18\./);
});

test("two machines whose stand-ins would fall together have one each", (t) => {
  const apart = MAX_STAND_INS;
  const pair = [machine(0, ipv4Text(0x0a_00_00_01)), machine(1, ipv4Text(0x0a_00_00_01 + apart))];
  const standIns = withStandIns(pair, reporter()).map(({ standIn }) => standIn);
  t.is(new Set(standIns).size, 2);
});

test("as many machines as there are stand-ins, and not one more", (t) => {
  const enough = reporter();
  const all = withStandIns(machines(MAX_STAND_INS), enough).map(({ standIn }) => standIn);
  t.is(new Set(all).size, MAX_STAND_INS);
  t.true(all.every((standIn) => standIn?.startsWith("198.18.")));
  t.false(all.includes("198.18.0.1"), "the appliance's own");
  t.is(enough.errors, 0);
  const beyond = reporter();
  withStandIns(machines(MAX_STAND_INS + 1), beyond);
  t.deepEqual(
    beyond.list().map(({ message }) => message),
    ["more than 60000 machines have an address of their own"],
  );
});
