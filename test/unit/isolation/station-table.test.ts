import test from "ava";
import { MAX_STATIONS, StationTable } from "../../../src/isolation/station-table.ts";
import { TestClock } from "./clock.ts";

const HOUR = 3_600_000;

function mac(number: number): string {
  return `02:00:00:00:${(number >> 8).toString(16).padStart(2, "0")}:${(number & 255).toString(16).padStart(2, "0")}`;
}

test("a station with its addresses and what it sent, by port and MAC", (t) => {
  const clock = new TestClock();
  const table = new StationTable(clock);
  table.hear("uplink", mac(9), "10.20.0.9", "ARP", false);
  table.hear("device", mac(2), null, "LLDP", false);
  table.hear("device", mac(1), "10.20.0.51", "ARP", true);
  clock.pass(500);
  table.hear("device", mac(2), "10.20.0.7", "ARP", false);
  table.hear("device", mac(2), "10.20.0.6", "ARP", false);
  const first = clock.start;
  t.deepEqual(
    table.view((at) => (at === mac(1) ? "hmi-4" : null)),
    [
      {
        port: "device",
        mac: mac(1),
        addresses: ["10.20.0.51"],
        machine: "hmi-4",
        seen: ["ARP"],
        first,
        last: first,
      },
      {
        port: "device",
        mac: mac(2),
        addresses: ["10.20.0.6", "10.20.0.7"],
        machine: null,
        seen: ["ARP", "LLDP"],
        first,
        last: first + 500,
      },
      {
        port: "uplink",
        mac: mac(9),
        addresses: ["10.20.0.9"],
        machine: null,
        seen: ["ARP"],
        first,
        last: first,
      },
    ],
  );
});

test("what one station can fill is bounded", (t) => {
  const table = new StationTable(new TestClock());
  for (let i = 0; i < 100; i++)
    table.hear("device", mac(1), `10.0.0.${i}`, `IPv4 multicast 239.0.0.${i}`, false);
  const [station] = table.view(() => null);
  t.is(station?.addresses.length, 8);
  t.is(station?.seen.length, 16);
});

test("a flood of MACs takes the free places of its port and no more; machines have theirs", (t) => {
  const clock = new TestClock();
  const table = new StationTable(clock);
  for (let i = 0; i < 2 * MAX_STATIONS; i++) table.hear("device", mac(i), null, "ARP", false);
  table.hear("uplink", mac(9), null, "ARP", false);
  table.hear("device", mac(5_000), null, "ARP", true);
  const macs = table.view(() => null).map((station) => station.mac);
  t.is(macs.length, MAX_STATIONS + 2);
  t.true(macs.includes(mac(MAX_STATIONS - 1)) && !macs.includes(mac(MAX_STATIONS)));
  t.true(macs.includes(mac(5_000)));
});

test("who was silent for an hour gives his place, and after a day is forgotten", (t) => {
  const clock = new TestClock();
  const table = new StationTable(clock);
  for (let i = 0; i < MAX_STATIONS; i++) table.hear("device", mac(i), null, "ARP", false);
  clock.pass(HOUR - 1);
  table.hear("device", mac(0), null, "ARP", false);
  table.hear("device", mac(6_000), null, "ARP", false);
  clock.pass(1);
  table.hear("device", mac(6_001), null, "ARP", false);
  const macs = table.view(() => null).map((station) => station.mac);
  t.is(macs.length, MAX_STATIONS);
  t.deepEqual(
    [mac(0), mac(1), mac(6_000), mac(6_001)].map((one) => macs.includes(one)),
    [true, false, false, true],
  );
  clock.pass(24 * HOUR);
  t.deepEqual(
    table.view(() => null),
    [],
  );
});
