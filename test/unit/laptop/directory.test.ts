import test from "ava";
import { PeerError } from "../../../src/base/index.ts";
import { parseDirectory } from "../../../src/laptop/directory.ts";

const SERVICE = { machine: "press-4", service: "modbus", protocol: "modbus-tcp", port: 502 };
const GOOD = {
  appliance: "box.example",
  user: "alice",
  services: [{ ...SERVICE, description: "the press of line 4" }],
};

test("the list is taken, and what a newer appliance says besides is passed over", (t) => {
  const newer = { ...GOOD, hint: 1, services: [{ ...GOOD.services[0], color: "red" }] };
  t.deepEqual(parseDirectory(`${JSON.stringify(newer)}\n`, "box:1"), GOOD);
});

test("an older appliance does not say what a machine is", (t) => {
  const older = { ...GOOD, services: [SERVICE] };
  t.deepEqual(parseDirectory(JSON.stringify(older), "box:1").services, [{ ...SERVICE, description: "" }]);
});

const BAD: Readonly<Record<string, unknown>> = {
  "a name that would leave its DNS label": { ...GOOD, services: [{ ...SERVICE, machine: "a.b" }] },
  "a service that would move the cursor": { ...GOOD, services: [{ ...SERVICE, service: "a\u001b[2J" }] },
  "a user with a control character": { ...GOOD, user: "al\u0007ice" },
  "a port of 0": { ...GOOD, services: [{ ...SERVICE, port: 0 }] },
  "a port over 65535": { ...GOOD, services: [{ ...SERVICE, port: 65_536 }] },
  "no list": { appliance: "box.example", user: "alice" },
  "no object": [],
};

for (const [name, value] of Object.entries(BAD)) {
  test(`refused: ${name}`, (t) => {
    t.throws(() => parseDirectory(JSON.stringify(value), "box:1"), {
      instanceOf: PeerError,
      message: /no list of services/,
    });
  });
}

test("refused: what is no JSON, and nothing at all", (t) => {
  for (const text of ["", "HTTP/1.1 400 Bad Request\r\n\r\n", '{"appliance":']) {
    t.throws(() => parseDirectory(text, "box:1"), { instanceOf: PeerError });
  }
});
