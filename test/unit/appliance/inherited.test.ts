import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { inheritedSockets, type Environment } from "../../../src/appliance/index.ts";

const NAMES = ["captured", "plain", "outbound"] as const;
const PID = 417;

function given(names: string, more: Environment = {}): Environment {
  const count = names === "" ? 0 : names.split(":").length;
  return { LISTEN_PID: String(PID), LISTEN_FDS: String(count), LISTEN_FDNAMES: names, ...more };
}

test("sockets are taken by their names, whatever order they come in", (t) => {
  t.deepEqual(
    [...inheritedSockets(given("outbound:captured:plain"), PID, NAMES)],
    [
      ["outbound", 3],
      ["captured", 4],
      ["plain", 5],
    ],
  );
  t.deepEqual([...inheritedSockets(given("plain"), PID, NAMES)], [["plain", 3]]);
});

test("without a service manager there is none", (t) => {
  t.is(inheritedSockets({}, PID, NAMES).size, 0);
});

test("what another process was handed counts for nothing, however wrong it is", (t) => {
  for (const LISTEN_PID of ["418", "41", "4170", "", " 417", undefined])
    t.is(inheritedSockets(given("captured:what", { LISTEN_PID }), PID, NAMES).size, 0, LISTEN_PID);
});

test("what does not fit is refused, and said", (t) => {
  const wrong: [environment: Environment, says: RegExp][] = [
    [given("captured:modbus"), /a socket named "modbus", .* captured, plain, outbound/],
    [given("captured:plain:captured"), /two sockets named captured/],
    [given("captured", { LISTEN_FDS: "2" }), /2 sockets and 1 names/],
    [given("captured", { LISTEN_FDNAMES: undefined }), /1 sockets and 0 names/],
    [given("captured", { LISTEN_FDS: "-1" }), /LISTEN_FDS is "-1"/],
    [given("captured", { LISTEN_FDS: "65" }), /no number up to 64/],
    [given("captured", { LISTEN_FDS: undefined }), /LISTEN_FDS is ""/],
  ];
  for (const [environment, says] of wrong) {
    const error = t.throws(() => inheritedSockets(environment, PID, NAMES), { instanceOf: UsageError });
    t.regex(error?.message ?? "", says);
    t.regex(error?.advice ?? "", /FileDescriptorName=/);
  }
});
