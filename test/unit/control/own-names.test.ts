import * as fc from "fast-check";
import test from "ava";
import { MAX_NAMES_LENGTH, ownAddresses, ownNames } from "../../../src/control/own-names.ts";
import { parseSite, withVersion, type Snapshot } from "../../../src/site/index.ts";
import { MAX_CERTIFICATE_LENGTH, freshRequest } from "../../../src/x509/index.ts";

function site(machines: string, version = 1): Snapshot {
  const text = `niac: 1
site: { name: Press shop, appliance: Box.Plant.example, timeZone: UTC }
network: { mode: inline }
machines:
${machines}`;
  const { snapshot, findings } = parseSite(text, "test");
  if (!snapshot) throw new Error(JSON.stringify(findings));
  return withVersion(snapshot, version);
}

const PRESS = `  press-4:
    address: 10.20.0.4
    mac: 02:00:00:00:00:04
    services:
      plc: { protocol: modbus-tcp, tlsPort: 802 }
`;
const SCALE = `  scale:
    services:
      plc: { protocol: modbus-tcp, address: 192.0.2.10 }
`;

function longNamed(at: number): string {
  return `  machine-with-a-long-name-${at}: { services: { plc: { protocol: modbus-tcp, address: 192.0.2.10 } } }\n`;
}

test("the appliance, its services' names, and the addresses at which it answers", (t) => {
  const { names, omitted } = ownNames(site(PRESS + SCALE), "box-3", ["10.20.0.100", "fd00::1"]);
  t.deepEqual(names, {
    commonName: "box.plant.example",
    dns: [
      "box.plant.example",
      "*.box.plant.example",
      "*.press-4.box.plant.example",
      "*.scale.box.plant.example",
    ],
    ip: ["10.20.0.100", "fd00::1", "10.20.0.4"],
  });
  t.deepEqual(omitted, []);
});

test("without a site document it is the appliance's name in the record, as a host name", (t) => {
  const none = site(SCALE, 0);
  t.is(ownNames(none, "box-3.plant.example", []).names.commonName, "box-3.plant.example");
  t.is(ownNames(none, "Halle 4 / Box_3", []).names.commonName, "halle-4-box-3");
  t.is(ownNames(none, "…", []).names.commonName, "niac");
});

test("a name too long for the common name is not cut into another one", (t) => {
  const long = `${"a".repeat(30)}.${"b".repeat(40)}.plant.example`;
  const { names } = ownNames(site(SCALE, 0), long, []);
  t.is(names.commonName, "a".repeat(30));
  t.is(names.dns[0], long);
});

test("what a certificate has no room for is left out and named", async (t) => {
  const many = Array.from({ length: 400 }, (_, at) => longNamed(at)).join("");
  const { names, omitted } = ownNames(site(many), "box-3", ["10.20.0.100"]);
  t.is(names.dns.length + omitted.length, 402);
  t.true(omitted.length > 0);
  t.deepEqual(names.ip, ["10.20.0.100"]);
  const { request } = await freshRequest(names);
  t.true(request.length > MAX_NAMES_LENGTH / 2);
  // An ML-DSA key and signature, and what else there is, beside the names.
  t.true(request.length + 6_000 < MAX_CERTIFICATE_LENGTH);
});

test("addresses: those it listens at, the uplink's where it listens at all, none that is good on one cable only", (t) => {
  const up = [
    { address: "10.20.0.100", internal: false },
    { address: "fe80::1", internal: false },
    { address: "169.254.3.4", internal: false },
  ];
  const interfaces = {
    lo: [{ address: "127.0.0.1", internal: true }],
    up,
    down: [{ address: "192.168.7.1", internal: false }],
  };
  const any = [{ host: "::" }, { host: "0.0.0.0" }];
  const here = [{ host: "127.0.0.1" }, { host: "127.0.0.1" }];
  t.deepEqual(ownAddresses(here, null, interfaces), ["127.0.0.1"]);
  t.deepEqual(ownAddresses(any, null, interfaces), ["10.20.0.100", "192.168.7.1"]);
  t.deepEqual(ownAddresses(any, { uplink: "up", address: null }, interfaces), ["10.20.0.100"]);
  t.deepEqual(ownAddresses(any, { uplink: "gone", address: { address: "10.9.9.9" } }, interfaces), [
    "10.9.9.9",
  ]);
});

test("whatever the appliance is called in the record, its certificate bears a host name", (t) => {
  const none = site(SCALE, 0);
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (origin) => {
      const { names } = ownNames(none, origin, []);
      const [dns = ""] = names.dns;
      return (
        /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(dns) &&
        !dns.includes("..") &&
        names.commonName.length <= 64
      );
    }),
  );
  t.pass();
});
