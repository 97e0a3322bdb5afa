import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { describeSettings, readSettings } from "../../../src/settings/index.ts";

const LEAST: Readonly<Record<string, string>> = {
  NIAC_ORIGIN: "box-3",
  NIAC_TLS_CERTIFICATE: "/etc/niac/tls.pem",
  NIAC_TLS_KEY: "/etc/niac/tls.key",
  NIAC_TLS_CLIENT_CA: "/etc/niac/clients.pem",
};

function read(changes: Readonly<Record<string, string | undefined>> = {}): ReturnType<typeof readSettings> {
  const all: Readonly<Record<string, string | undefined>> = { ...LEAST, ...changes };
  return readSettings((name) => all[name]);
}

function problems(changes: Readonly<Record<string, string | undefined>>): string {
  try {
    read(changes);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
  }
  return "";
}

test("what has a default need not be set", (t) => {
  t.deepEqual(read(), {
    stateDir: "/var/lib/niac",
    runDir: "/run/niac",
    origin: "box-3",
    tls: {
      certificate: "/etc/niac/tls.pem",
      key: "/etc/niac/tls.key",
      clientCa: "/etc/niac/clients.pem",
      serverCa: "/etc/niac/clients.pem",
    },
    rotation: 8 * 3_600_000,
    seal: { tpm: "auto", keyFile: null, passphraseFile: null },
    listenModbus: { host: "::", port: 802 },
    listenServices: { host: "::", port: 8443 },
    listenEnroll: { host: "::", port: 443 },
    cable: null,
    box: { leds: null, panel: null, buttonAllows: 0 },
    update: { server: null, ca: null, usb: "install" },
    gatewayUser: null,
    logLevel: "info",
  });
});

test("servers are trusted as clients are, unless said otherwise", (t) => {
  const { tls } = read({ NIAC_TLS_SERVER_CA: "/etc/niac/servers.pem" });
  t.deepEqual([tls?.clientCa, tls?.serverCa], ["/etc/niac/clients.pem", "/etc/niac/servers.pem"]);
  t.is(read({ NIAC_TLS_SERVER_CA: " " }).tls?.serverCa, "/etc/niac/clients.pem");
});

const NO_FILES = { NIAC_TLS_CERTIFICATE: "", NIAC_TLS_KEY: "", NIAC_TLS_CLIENT_CA: "" };

test("without files of its own the authority issues what TLS needs; a part of them is a mistake", (t) => {
  t.is(read(NO_FILES).tls, null);
  const said = problems({ ...NO_FILES, NIAC_TLS_KEY: "/etc/niac/tls.key" });
  t.regex(said, /NIAC_TLS_CERTIFICATE is not set, but others of NIAC_TLS_ are/);
  t.regex(said, /NIAC_TLS_CLIENT_CA is not set, but others/);
  t.notRegex(said, /NIAC_TLS_KEY is/);
  t.regex(problems({ ...NO_FILES, NIAC_TLS_SERVER_CA: "/ca.pem" }), /NIAC_TLS_KEY is not set/);
});

test("lamps and panel are named, and a name is no path; without one there are none", (t) => {
  t.deepEqual(read({}).box, { leds: null, panel: null, buttonAllows: 0 });
  const named = read({ NIAC_LEDS: "niac", NIAC_PANEL: "niac-panel", NIAC_BUTTON: "15m" });
  t.deepEqual(named.box, { leds: "niac", panel: "niac-panel", buttonAllows: 900_000 });
  for (const wrong of ["../../x", "..", "a/b", "a b", "x".repeat(33)]) {
    t.regex(problems({ NIAC_LEDS: wrong }), /NIAC_LEDS is .*letters, digits/, wrong);
    t.regex(problems({ NIAC_PANEL: wrong }), /NIAC_PANEL is .*letters, digits/, wrong);
  }
});

test("what a button allows has a time, and half a day is its bound", (t) => {
  t.is(read({ NIAC_BUTTON: "12h" }).box.buttonAllows, 12 * 3_600_000);
  for (const wrong of ["721m", "13h", "15", "-1m", "for ever"])
    t.regex(problems({ NIAC_BUTTON: wrong }), /NIAC_BUTTON is .*up to 12h/, wrong);
});

test("a time of rotation has a unit and bounds", (t) => {
  t.is(read({ NIAC_ROTATION: "50ms" }).rotation, 50);
  t.is(read({ NIAC_ROTATION: "720h" }).rotation, 720 * 3_600_000);
  for (const wrong of ["8", "49ms", "721h", "8 h", "-1h", "8h30m"])
    t.regex(
      problems({ NIAC_ROTATION: wrong }),
      /NIAC_ROTATION is .*it takes a time from 50ms to 720h/,
      wrong,
    );
});

test("all that is wrong is said at once", (t) => {
  const error = t.throws(
    () => readSettings((name) => ({ NIAC_LISTEN_MODBUS: "802", NIAC_LOG_LEVEL: "loud" })[name]),
    { instanceOf: UsageError, code: "settings" },
  );
  for (const name of ["NIAC_ORIGIN", "NIAC_LISTEN_MODBUS", "NIAC_LOG_LEVEL"]) {
    t.true(error?.message.includes(name), name);
  }
  t.false(error?.message.includes("NIAC_LISTEN_SERVICES"), "and nothing that is right");
  t.truthy(error?.advice);
});

test("an empty or blank setting counts as not set", (t) => {
  t.regex(problems({ NIAC_ORIGIN: "" }), /NIAC_ORIGIN is not set/);
  t.regex(problems({ NIAC_ORIGIN: "  \t" }), /NIAC_ORIGIN is not set/);
  t.is(read({ NIAC_STATE_DIR: " " }).stateDir, "/var/lib/niac");
  t.is(read({ NIAC_ORIGIN: " box-3\n" }).origin, "box-3");
});

test("addresses of both families are taken, an IPv6 one in brackets", (t) => {
  for (const [text, host, port] of [
    ["0.0.0.0:802", "0.0.0.0", 802],
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["[::]:802", "::", 802],
    ["[2001:db8::1]:65535", "2001:db8::1", 65_535],
    [" 10.0.0.1:802 ", "10.0.0.1", 802],
  ] as const) {
    t.deepEqual(read({ NIAC_LISTEN_MODBUS: text }).listenModbus, { host, port }, text);
  }
});

test("what is no address with a port is refused, and shown", (t) => {
  for (const text of [
    "802",
    ":802",
    "0.0.0.0",
    "0.0.0.0:",
    "0.0.0.0:65536",
    "0.0.0.0:-1",
    "0.0.0.0:8o2",
    "0.0.0.0:802 ]",
    "::1:802",
    "[::1]",
    "[]:802",
    "256.0.0.1:802",
    "plant.example:802",
  ]) {
    const said = problems({ NIAC_LISTEN_SERVICES: text });
    t.true(said.includes(`NIAC_LISTEN_SERVICES is ${JSON.stringify(text)}`), `${text}: ${said}`);
  }
});

test("every log level there is is taken, and no other", (t) => {
  for (const level of ["fatal", "error", "warn", "info", "debug", "trace"] as const) {
    t.is(read({ NIAC_LOG_LEVEL: level }).logLevel, level);
  }
  t.regex(problems({ NIAC_LOG_LEVEL: "Info" }), /NIAC_LOG_LEVEL is "Info"; it takes fatal, error/);
});

test("settings cannot be changed once they are read", (t) => {
  t.true(Object.isFrozen(read()));
  t.true(Object.isFrozen(read({ NIAC_LISTEN_MODBUS: "0.0.0.0:802" }).listenModbus));
});

test("an error shows no value but the wrong ones", (t) => {
  const said = problems({ NIAC_TLS_KEY: "-----BEGIN PRIVATE KEY-----", NIAC_LOG_LEVEL: "loud" });
  t.regex(said, /loud/);
  t.notRegex(said, /PRIVATE KEY|box-3|tls\.pem/);
});

test("the help names every setting that is read, with its default", (t) => {
  const asked = new Set<string>();
  t.throws(() =>
    readSettings((name) => {
      asked.add(name);
      return undefined;
    }),
  );
  const lines = describeSettings().split("\n");
  t.is(lines.length, asked.size);
  for (const name of asked) t.is(lines.filter((line) => line.trim().startsWith(`${name} `)).length, 1, name);
  t.regex(lines.find((line) => line.includes("NIAC_LISTEN_MODBUS")) ?? "", /\(\[::\]:802\)$/);
  t.regex(lines.find((line) => line.includes("NIAC_ORIGIN")) ?? "", /\(no default\)$/);
});

test("two ports make a box that stands in the cable", (t) => {
  const ports = { NIAC_UPLINK: "eth0", NIAC_DEVICE_PORT: "eth1" };
  t.deepEqual(read(ports).cable, { uplink: "eth0", device: "eth1", address: null, gateway: null });
  const more = { ...ports, NIAC_UPLINK_ADDRESS: "10.20.0.100/24", NIAC_UPLINK_GATEWAY: "10.20.0.1" };
  t.deepEqual(read(more).cable, {
    uplink: "eth0",
    device: "eth1",
    address: { address: "10.20.0.100", prefix: 24 },
    gateway: "10.20.0.1",
  });
  t.regex(problems({ NIAC_UPLINK: "eth0" }), /NIAC_DEVICE_PORT is not set, but the other port is/);
  t.regex(problems({ NIAC_UPLINK: "eth0", NIAC_DEVICE_PORT: "eth0" }), /are both eth0/);
  for (const name of ["eth 0", "../eth0", "eth0;reboot", "sixteenletters16", '"']) {
    t.regex(
      problems({ ...ports, NIAC_UPLINK: name }),
      /NIAC_UPLINK is .* it takes an interface's name/,
      name,
    );
  }
  for (const address of ["10.20.0.100", "10.20.0.300/24", "10.20.0.1/33", "::1/64", "10.20.0.1/0"]) {
    t.regex(
      problems({ ...ports, NIAC_UPLINK_ADDRESS: address }),
      /NIAC_UPLINK_ADDRESS is .* 10\.20\.0\.100\/24/,
      address,
    );
  }
  t.regex(problems({ ...ports, NIAC_UPLINK_GATEWAY: "router" }), /NIAC_UPLINK_GATEWAY/);
});
