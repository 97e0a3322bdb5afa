/**
 * The simulated press: node press.ts <port>. A Modbus TCP server on 127.0.0.1 that knows nothing of niac. It prints every
 * request that reaches it, so that its output shows what did not.
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
): Promise<number[]> {
  say(`read ${length} of ${table} from ${address}`);
  const values = Array.from({ length }, (_, index) => value(address + index));
  const known = values.filter((each) => each !== null);
  return known.length === length ? Promise.resolve(known) : Promise.reject(new Exception(ILLEGAL_ADDRESS));
}

function write(address: number, value: number): Promise<void> {
  const before = model.holdingRegister(press, address);
  const after = model.writeRegister(press, address, value);
  say(
    `wrote holding register ${address}: ${before} -> ${after === null || after === "value" ? "not taken" : value}`,
  );
  if (after === null) return Promise.reject(new Exception(ILLEGAL_ADDRESS));
  if (after === "value") return Promise.reject(new Exception(ILLEGAL_VALUE));
  press = after;
  return Promise.resolve();
}

const vector = {
  getMultipleInputRegisters: (address: number, length: number) =>
    read("input registers", address, length, (at) => model.inputRegister(press, at)),
  getMultipleHoldingRegisters: (address: number, length: number) =>
    read("holding registers", address, length, (at) => model.holdingRegister(press, at)),
  setRegister: (address: number, value: number) => write(address, value),
  getCoil: (address: number) => bit("coil", address, model.MOTOR, press.motor),
  getDiscreteInput: (address: number) =>
    bit("discrete input", address, model.GUARD_CLOSED, press.guardClosed),
  setCoil: (address: number, on: boolean) => {
    say(`wrote coil ${address}: ${on}`);
    if (address !== model.MOTOR) return Promise.reject(new Exception(ILLEGAL_ADDRESS));
    press = { ...press, motor: on };
    return Promise.resolve();
  },
};

function bit(table: string, address: number, known: number, value: boolean): Promise<boolean> {
  say(`read ${table} ${address}`);
  return address === known ? Promise.resolve(value) : Promise.reject(new Exception(ILLEGAL_ADDRESS));
}

const port = Number(process.argv[2]);
const server = new ServerTCP(vector, { host: "127.0.0.1", port, unitID: 1 });
server.on("initialized", () => say(`press is ready on 127.0.0.1:${port}`));
server.on("serverError", (error) => {
  say(`press cannot listen on 127.0.0.1:${port}: ${error?.message ?? ""}`);
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
