import test from "ava";
import * as fc from "fast-check";
import { PortSet } from "../../../src/isolation/port-set.ts";

test("any ports are counted once and come back in order", (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.nat(65_535), { maxLength: 60 }), fc.nat(70), (ports, most) => {
        const set = new PortSet();
        for (const port of ports) set.add(port);
        const expected = [...new Set(ports)].toSorted((a, b) => a - b);
        return (
          set.size === expected.length &&
          [...set].join() === expected.join() &&
          set.lowest(most).join() === expected.slice(0, most).join()
        );
      }),
    ),
  );
});

test("all 65,536 of them", (t) => {
  const set = new PortSet();
  for (let port = 65_535; port >= 0; port--) {
    set.add(port);
    set.add(port);
  }
  t.is(set.size, 65_536);
  t.deepEqual(set.lowest(3), [0, 1, 2]);
  t.deepEqual([...set].slice(-1), [65_535]);
});
