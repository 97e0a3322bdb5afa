/**
 * The simulated press: node press.ts <address>:<port>. A Modbus TCP server that knows nothing of niac. It prints every request
 * that reaches it, so that its output shows what did not.
 */
import { ServerTCP } from "modbus-serial";
import * as model from "./press-model.ts";

/** Milliseconds between steps of the model. */
const STEP = 100;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;

/** What modbus-serial answers with that exception code. */
class Exception extends Error {
  readonly modbusErrorCode: number;

  constructor(code: number) {
    super(`exception ${code}`);
    this.modbusErrorCode = code;
  }
}

let press = model.newPress();

function say(text: string): void {
  console.log(`${new Date().toISOString()} ${text}`);
}

function read(
  table: string,
  address: number,
  length: number,
  value: (at: number) => number | null,
): number[] {
  say(`read ${length} of ${table} from ${address}`);
  return Array.from({ length }, (_, index) => {
    const known = value(address + index);
    if (known === null) throw new Exception(ILLEGAL_ADDRESS);
    return known;
  });
}

function readInputs(address: number, length: number): number[] {
  return read("input registers", address, length, (at) => model.inputRegister(press, at));
}

function readHoldings(address: number, length: number): number[] {
  return read("holding registers", address, length, (at) => model.holdingRegister(press, at));
}

function readBit(table: string, address: number, known: number, value: boolean): boolean {
  return read(table, address, 1, (at) => (at === known ? Number(value) : null))[0] === 1;
}

function writeRegister(address: number, value: number): void {
  const before = model.holdingRegister(press, address);
  const after = model.writeRegister(press, address, value);
  say(
    `wrote holding register ${address}: ${before} -> ${after === null || after === "value" ? "not taken" : value}`,
  );
  if (after === null) throw new Exception(ILLEGAL_ADDRESS);
  if (after === "value") throw new Exception(ILLEGAL_VALUE);
  press = after;
}

function writeCoil(address: number, on: boolean): void {
  say(`wrote coil ${address}: ${on}`);
  if (address !== model.MOTOR) throw new Exception(ILLEGAL_ADDRESS);
  press = { ...press, motor: on };
}

// modbus-serial asks for single registers one way and for several another.
const vector = {
  getInputRegister: (address: number) => readInputs(address, 1)[0] ?? 0,
  getMultipleInputRegisters: readInputs,
  getHoldingRegister: (address: number) => readHoldings(address, 1)[0] ?? 0,
  getMultipleHoldingRegisters: readHoldings,
  getCoil: (address: number) => readBit("coils", address, model.MOTOR, press.motor),
  getDiscreteInput: (address: number) =>
    readBit("discrete inputs", address, model.GUARD_CLOSED, press.guardClosed),
  setRegister: writeRegister,
  setCoil: writeCoil,
};

const [, host, port] = /^(.+):(\d+)$/.exec(process.argv[2] ?? "") ?? [];
if (host === undefined || port === undefined) throw new Error("usage: node press.ts <address>:<port>");
const server = new ServerTCP(vector, { host, port: Number(port), unitID: 1 });
server.on("initialized", () => say(`press is ready on ${host}:${port}`));
server.on("serverError", (error) => {
  say(`press cannot listen on ${host}:${port}: ${error?.message ?? ""}`);
  process.exit(1);
});
// Clients that leave in the middle are everyday business to a PLC.
server.on("socketError", () => {});
const stepping = setInterval(() => {
  press = model.step(press, STEP / 1000);
}, STEP);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    clearInterval(stepping);
    server.close(() => {});
  });
}
