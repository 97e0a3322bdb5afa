import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { chooseServices, portsToTry, whatToPaste } from "../../../src/laptop/choose.ts";
import type { Directory, OfferedService } from "../../../src/laptop/directory.ts";

const MODBUS: OfferedService = {
  machine: "press-4",
  service: "modbus",
  protocol: "modbus-tcp",
  port: 502,
  description: "",
};
const PANEL: OfferedService = {
  machine: "press-4",
  service: "panel",
  protocol: "tcp",
  port: 5900,
  description: "",
};
const DRIVE: OfferedService = {
  machine: "drive-1",
  service: "modbus",
  protocol: "modbus-rtu",
  port: 502,
  description: "",
};
const DIRECTORY: Directory = { appliance: "box.example", user: "alice", services: [MODBUS, PANEL, DRIVE] };

test("all, a machine's services, or one service of it", (t) => {
  t.deepEqual(chooseServices(DIRECTORY, "all"), [MODBUS, PANEL, DRIVE]);
  t.deepEqual(chooseServices(DIRECTORY, [{ machine: "press-4", service: null }]), [MODBUS, PANEL]);
  const one = { machine: "press-4", service: "panel" };
  t.deepEqual(chooseServices(DIRECTORY, [one, one]), [PANEL]);
});

test("who asks for what is not permitted is told what is", (t) => {
  for (const wanted of [
    { machine: "press-5", service: null },
    { machine: "drive-1", service: "panel" },
  ]) {
    const error = t.throws(() => chooseServices(DIRECTORY, [{ machine: "press-4", service: null }, wanted]), {
      instanceOf: UsageError,
      message: /alice may not use it now/,
    });
    t.is(error.advice, "Permitted now: press-4/modbus, press-4/panel, drive-1/modbus.");
  }
});

test("who may use nothing is told so", (t) => {
  t.throws(() => chooseServices({ ...DIRECTORY, services: [] }, "all"), {
    instanceOf: UsageError,
    message: "alice may use no machine of box.example now",
  });
});

test("local ports: the machine's own, then one near it, then any", (t) => {
  t.deepEqual(portsToTry(502, null).slice(0, 4), [502, 1502, 1503, 1504]);
  t.deepEqual(portsToTry(5900, null).slice(0, 3), [5900, 5901, 5902]);
  t.deepEqual(portsToTry(65_535, null), [65_535, 0]);
  t.is(portsToTry(502, null).at(-1), 0);
});

test("a port that was asked for is the only one tried", (t) => {
  t.deepEqual(portsToTry(502, 7502), [7502]);
});

test("what to paste names the local address and port", (t) => {
  t.is(whatToPaste(MODBUS, "127.0.0.1", 1502), "mbpoll -m tcp -p 1502 -a 1 -1 127.0.0.1");
  t.is(whatToPaste({ ...PANEL, port: 80 }, "::1", 1080), "http://[::1]:1080/");
  t.is(whatToPaste({ ...PANEL, port: 22 }, "127.0.0.1", 1022), "ssh -p 1022 127.0.0.1");
  t.is(whatToPaste(PANEL, "127.0.0.1", 5901), "vncviewer 127.0.0.1::5901");
  t.is(whatToPaste({ ...PANEL, port: 102 }, "127.0.0.1", 1102), "127.0.0.1:1102");
});
