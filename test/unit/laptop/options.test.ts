import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { parseVia, readOptions, type Typed } from "../../../src/laptop/options.ts";

const FILES = { certificate: "me.crt", key: "me.key", ca: "ca.crt" };
const TYPED: Typed = { machines: ["press-4"], via: "box.example", ...FILES };
const nothing = (): undefined => undefined;

function refused(typed: Partial<Typed>): string {
  try {
    readOptions({ ...TYPED, ...typed }, nothing);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "taken";
}

test("the least that is needed, and what stands for the rest", (t) => {
  t.deepEqual(readOptions(TYPED, nothing), {
    wanted: [{ machine: "press-4", service: null }],
    via: { host: "box.example", port: 8443 },
    appliance: "box.example",
    files: FILES,
    token: null,
    listen: "127.0.0.1",
    port: null,
  });
});

test("the environment fills in, and what is typed goes before it", (t) => {
  const environment: Record<string, string> = {
    NIAC_VIA: "192.0.2.1:9443",
    NIAC_APPLIANCE: "box-3.plant-7.example",
    NIAC_CERTIFICATE: "env.crt",
    NIAC_KEY: "env.key",
    NIAC_CA: "env-ca.crt",
  };
  const options = readOptions({ machines: ["all"], key: "typed.key" }, (name) => environment[name]);
  t.is(options.wanted, "all");
  t.deepEqual(options.via, { host: "192.0.2.1", port: 9443 });
  t.is(options.appliance, "box-3.plant-7.example");
  t.deepEqual(options.files, { certificate: "env.crt", key: "typed.key", ca: "env-ca.crt" });
});

const PROFILE = {
  via: "profile.example:9443",
  appliance: "box.example",
  files: { certificate: "identity.pem", key: "identity.pem", ca: "profile-ca.pem" },
  token: null,
};

test("a profile is enough; what is typed or set goes before it", (t) => {
  const all = { machines: ["all"] };
  const { via, appliance, files } = readOptions(all, nothing, PROFILE);
  t.deepEqual(
    { via, appliance, files },
    { via: { host: "profile.example", port: 9443 }, appliance: "box.example", files: PROFILE.files },
  );
  const elsewhere = readOptions({ ...all, via: "192.0.2.7" }, nothing, PROFILE);
  t.deepEqual([elsewhere.via.host, elsewhere.appliance], ["192.0.2.7", "192.0.2.7"]);
  const set = readOptions(all, (name) => (name === "NIAC_CA" ? "env-ca.crt" : undefined), PROFILE);
  t.deepEqual(set.files, { ...PROFILE.files, ca: "env-ca.crt" });
});

test("a certificate of one's own never goes with the profile's key, in a file or in a token", (t) => {
  const token = { module: "p11.so", label: "card", id: "01", pinFile: null };
  const own = { machines: ["all"], certificate: "me.crt", key: "me.key" };
  t.is(readOptions({ machines: ["all"] }, nothing, { ...PROFILE, token }).token, token);
  const { files, token: none } = readOptions(own, nothing, { ...PROFILE, token });
  t.deepEqual(files, { certificate: "me.crt", key: "me.key", ca: "profile-ca.pem" });
  t.is(none, null);
  const half = { machines: ["all"], certificate: "me.crt" };
  t.throws(() => readOptions(half, nothing, PROFILE), { message: /--key <file>/ });
});

test("an empty variable is as good as none", (t) => {
  t.is(readOptions(TYPED, (name) => (name === "NIAC_APPLIANCE" ? " " : undefined)).appliance, "box.example");
});

test("everything that is missing is named at once, with its variable", (t) => {
  const error = t.throws(() => readOptions({ machines: ["all"] }, nothing), { instanceOf: UsageError });
  for (const name of [
    "--via",
    "--certificate",
    "--key",
    "--ca",
    "NIAC_VIA",
    "NIAC_CERTIFICATE",
    "NIAC_KEY",
    "NIAC_CA",
  ]) {
    t.true(error.message.includes(name), name);
  }
});

test("machines and services are named as the site document names them", (t) => {
  const { wanted } = readOptions({ ...TYPED, machines: ["press-4/panel", "drive-1"] }, nothing);
  t.deepEqual(wanted, [
    { machine: "press-4", service: "panel" },
    { machine: "drive-1", service: null },
  ]);
  for (const machine of ["Press-4", "press-4/", "press-4/a/b", "-press", "", "press 4"]) {
    t.regex(refused({ machines: [machine] }), /names no machine/);
  }
});

test("where the appliance is: a name or an address, with or without a port", (t) => {
  t.deepEqual(parseVia("[2001:db8::1]:802"), { host: "2001:db8::1", port: 802 });
  t.deepEqual(parseVia("[2001:db8::1]"), { host: "2001:db8::1", port: 8443 });
  for (const bad of [
    "",
    "box:0",
    "box:65536",
    "2001:db8::1",
    "[box]:1",
    "box:x",
    "box/1",
    "https://box:8443",
  ]) {
    t.throws(() => parseVia(bad), { instanceOf: UsageError, message: /host:port/ }, bad);
  }
});

test("the local address is this computer's own, unless the option that says unsafe is used", (t) => {
  for (const listen of ["127.0.0.1", "127.8.8.8", "::1"]) t.is(refused({ listen }), "taken");
  for (const listen of ["0.0.0.0", "::", "192.0.2.7", "128.0.0.1", "::ffff:192.0.2.7"]) {
    t.regex(refused({ listen }), /acts with your certificate/);
  }
  t.is(readOptions({ ...TYPED, unsafeListen: "0.0.0.0" }, nothing).listen, "0.0.0.0");
  t.regex(refused({ listen: "localhost" }), /takes an IP address/);
  t.regex(refused({ listen: "127.0.0.1", unsafeListen: "0.0.0.0" }), /exclude each other/);
});

test("a local port is a whole number from 1 to 65535", (t) => {
  t.is(readOptions({ ...TYPED, port: "65535" }, nothing).port, 65_535);
  for (const port of ["0", "65536", "-1", "5e2", "x", ""]) t.regex(refused({ port }), /--port/);
});
