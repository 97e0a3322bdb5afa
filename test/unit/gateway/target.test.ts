import test from "ava";
import {
  chooseCapturedProtocol,
  chooseProtocol,
  findCaptured,
  findTarget,
  type CapturedWish,
  type Wish,
} from "../../../src/gateway/target.ts";
import { parseSite, type Snapshot } from "../../../src/site/index.ts";
import { inCable } from "./cable-site.ts";

function site(machines: string): Snapshot {
  const { snapshot, findings } = parseSite(
    `niac: 1\nsite: { name: test, appliance: Box-3.Plant.example, timeZone: UTC }\nmachines:\n${machines}`,
    "test",
  );
  if (!snapshot) throw new Error(JSON.stringify(findings));
  return snapshot;
}

const PLANT = site(`
  press-4:
    services:
      modbus: { protocol: modbus-tcp, address: 192.0.2.10 }
      panel: { protocol: tcp, address: 192.0.2.10:5900 }
  oven-1:
    services:
      plc: { protocol: modbus-tcp, address: 192.0.2.11 }
      safety: { protocol: modbus-tcp, address: 192.0.2.12 }
`);
const SINGLE = site(`
  press-4:
    services:
      modbus: { protocol: modbus-tcp, address: 192.0.2.10 }
      panel: { protocol: tcp, address: 192.0.2.10:5900 }
`);

/** `machine/service`, `directory`, or null where there is none. */
function found(wish: Partial<Wish>, snapshot = PLANT): string | null {
  const target = findTarget(snapshot, { serverName: undefined, protocol: null, modbusOnly: false, ...wish });
  if (target.kind === "service") return `${target.machine.name}/${target.service.name}`;
  return target.kind === "directory" ? "directory" : null;
}

function sni(serverName: string | undefined, modbusOnly = false, snapshot = PLANT): string | null {
  return found({ serverName, modbusOnly }, snapshot);
}

test("a full name finds its service, in any case and with a dot at its end", (t) => {
  for (const name of [
    "modbus.press-4.box-3.plant.example",
    "MODBUS.Press-4.BOX-3.plant.EXAMPLE",
    "modbus.press-4.box-3.plant.example.",
  ]) {
    t.is(sni(name), "press-4/modbus", name);
    t.is(sni(name, true), "press-4/modbus", name);
  }
  t.is(sni("panel.press-4.box-3.plant.example"), "press-4/panel");
});

test("a name that is almost right finds nothing", (t) => {
  for (const name of [
    undefined,
    "",
    ".",
    "box-3.plant.example",
    ".box-3.plant.example",
    "press-4.box-3.plant.example",
    "modbus..box-3.plant.example",
    ".press-4.box-3.plant.example",
    "x.modbus.press-4.box-3.plant.example",
    "*.press-4.box-3.plant.example",
    "*.*.box-3.plant.example",
    "press-4.modbus.box-3.plant.example",
    "modbus.press-5.box-3.plant.example",
    "modbus.press-4.box-4.plant.example",
    "modbus.press-4.box-3.plant.example..",
    "modbus.press-4.box-3.plant.example.evil.example",
    "modbus.press-4box-3.plant.example",
    "modbus.press-4",
    "__proto__.constructor.box-3.plant.example",
    "modbus.press-4\u0000.box-3.plant.example",
    "192.0.2.10",
  ]) {
    t.is(sni(name), null, String(name));
  }
});

test("on the Modbus listener a machine with one Modbus service need not name it, and others must", (t) => {
  t.is(sni("press-4.box-3.plant.example", true), "press-4/modbus");
  t.is(sni("oven-1.box-3.plant.example", true), null);
  t.is(sni("plc.oven-1.box-3.plant.example", true), "oven-1/plc");
});

test("on the Modbus listener nothing but Modbus is found", (t) => {
  t.is(sni("panel.press-4.box-3.plant.example", true), null);
  t.is(found({ protocol: "panel.press-4", modbusOnly: true }), null);
});

test("no name at all is enough where there is one Modbus service, on its listener only", (t) => {
  for (const name of [undefined, ""]) {
    t.is(sni(name, true, SINGLE), "press-4/modbus");
    t.is(sni(name, false, SINGLE), null);
    t.is(sni(name, true), null, "where there are more, it is not");
  }
});

test("the appliance's own name names no machine, so it is as good as none", (t) => {
  t.is(sni("box-3.plant.example", true, SINGLE), "press-4/modbus");
  t.is(sni("Box-3.plant.example.", true, SINGLE), "press-4/modbus");
  t.is(sni("box-3.plant.example", true), null);
  t.is(sni("box-3.plant.example", false, SINGLE), null);
});

test("another name is another machine, even where there is only one here", (t) => {
  for (const name of [
    "modbus.press-5.box-3.plant.example",
    "press-5.box-3.plant.example",
    "modbus.press-5.box-4.plant.example",
    "plc.elsewhere.example",
  ]) {
    t.is(sni(name, true, SINGLE), null, name);
  }
});

test("ALPN names a service as it is written, before SNI", (t) => {
  t.is(found({ protocol: "modbus.press-4" }), "press-4/modbus");
  t.is(found({ protocol: "plc.oven-1", serverName: "modbus.press-4.box-3.plant.example" }), "oven-1/plc");
  t.is(found({ protocol: "none.oven-1", serverName: "modbus.press-4.box-3.plant.example" }), null);
  t.is(found({ protocol: "niac-directory", serverName: "modbus.press-4.box-3.plant.example" }), "directory");
  t.is(found({ protocol: "http/1.1", serverName: "panel.press-4.box-3.plant.example" }), "press-4/panel");
});

test("who finds nothing is told what was asked for and how to ask", (t) => {
  const nothing = findTarget(PLANT, { serverName: undefined, protocol: null, modbusOnly: false });
  t.like(nothing, { kind: "none", named: null, reason: "the client named no machine" });
  const other = findTarget(PLANT, { serverName: "PLC.elsewhere.example", protocol: null, modbusOnly: true });
  t.like(other, { kind: "none", named: "plc.elsewhere.example" });
  t.regex(other.kind === "none" ? other.advice : "", /<service>\.<machine>\.box-3\.plant\.example/);
});

function choose(offered: string[], serverName?: string, modbusOnly = false): string | undefined {
  return chooseProtocol(PLANT, serverName, offered, modbusOnly);
}

test("of the offered protocols the one that names a service is chosen, and the directory before all", (t) => {
  t.is(choose(["none.here", "plc.oven-1", "modbus.press-4"]), "plc.oven-1");
  t.is(choose(["plc.oven-1", "niac-directory"]), "niac-directory");
  t.is(choose(["panel.press-4"]), "panel.press-4");
  t.is(choose(["panel.press-4"], undefined, true), undefined);
  t.is(choose(["h2", "http/1.1"], "panel.press-4.box-3.plant.example"), "http/1.1");
  t.is(choose(["h2"], "panel.press-4.box-3.plant.example"), undefined);
  t.is(choose(["http/1.1"], "elsewhere.example"), undefined);
  for (const odd of ["PLC.oven-1", "plc.oven-1.", "*.oven-1", "", "plc", "a.b.c"])
    t.is(choose([odd]), undefined, odd);
  t.is(choose([]), undefined);
});

const CABLE = inCable();

/** At press-4's own address: `machine/service`, or why there is none. */
function captured(wish: Partial<CapturedWish>): string {
  const whole = { serverName: undefined, protocol: null, address: "10.20.0.4", port: 802, ...wish };
  const target = findCaptured(CABLE, whole);
  return target.kind === "service" ? `${target.machine.name}/${target.service.name}` : target.reason;
}

test("at a machine's own address the port says which service, and names that are not the appliance's say nothing", (t) => {
  for (const serverName of [
    undefined,
    "",
    "plc.plant.example",
    "10.20.0.4",
    "modbus.press-9.box-4.plant.example",
    "box-3.plant.example",
    "press-4.box-3.plant.example",
    "MODBUS.press-4.Box-3.plant.example.",
  ]) {
    t.is(captured({ serverName }), "press-4/modbus", String(serverName));
  }
  t.is(captured({ port: 8443 }), "press-4/panel");
  t.is(captured({ port: 8443, protocol: "http/1.1" }), "press-4/panel");
  t.is(captured({ protocol: "modbus.press-4" }), "press-4/modbus");
});

test("at a machine's own address a name of the appliance's that says otherwise is refused", (t) => {
  const is = "at 10.20.0.4 port 802, which is modbus.press-4";
  for (const [name, said] of [
    ["panel.press-4.box-3.plant.example", "panel.press-4"],
    ["hmi-1.box-3.plant.example", "hmi-1"],
    ["web.hmi-1.box-3.plant.example", "web.hmi-1"],
    ["x.modbus.press-4.box-3.plant.example", "x.modbus.press-4"],
    ["nothing.box-3.plant.example", "nothing"],
    [".box-3.plant.example", ""],
  ] as const) {
    t.is(captured({ serverName: name }), `the client asked for ${said} ${is}`, name);
  }
  t.is(captured({ protocol: "web.hmi-1" }), `the client asked for web.hmi-1 ${is}`);
  t.is(
    captured({ protocol: "web.hmi-1", serverName: "modbus.press-4.box-3.plant.example" }),
    `the client asked for web.hmi-1 ${is}`,
  );
  t.is(
    captured({ protocol: "http/1.1" }),
    "the client spoke http/1.1 to modbus.press-4, which speaks Modbus",
  );
});

test("where no machine has a service with TLS there is none, whatever is asked for", (t) => {
  const serverName = "modbus.press-4.box-3.plant.example";
  for (const [address, port] of [
    ["10.20.0.4", 502],
    ["10.20.0.9", 802],
    ["", 0],
  ] as const) {
    t.is(
      captured({ address, port, serverName }),
      `no machine of this site has a service with TLS at ${address} port ${port}`,
    );
  }
});

test("at a machine's own address there is no directory, and HTTP as elsewhere", (t) => {
  t.is(chooseCapturedProtocol(CABLE, ["niac-directory"]), undefined);
  t.is(chooseCapturedProtocol(CABLE, ["niac-directory", "http/1.1"]), "http/1.1");
  t.is(chooseCapturedProtocol(CABLE, ["h2"]), undefined);
  t.is(chooseCapturedProtocol(CABLE, ["h2", "web.hmi-1"]), "web.hmi-1");
  t.is(chooseCapturedProtocol(CABLE, ["web.hmi-9"]), undefined);
  t.is(chooseCapturedProtocol(CABLE, []), undefined);
});
