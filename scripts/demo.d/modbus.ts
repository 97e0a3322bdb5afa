/**
 * A small Modbus client for where mbpoll is not installed, made with modbus-serial. Addresses count from 0.
 *
 *     modbus <host:port> read holding|input <address> [count]
 *     modbus <host:port> write holding <address> <value>
 */
import modbusSerial from "modbus-serial";

const USAGE = `usage: modbus <host:port> read holding|input <address> [count]
       modbus <host:port> write holding <address> <value>`;
const UNIT = 1;
const TIMEOUT = 5_000;
/** MODBUS Application Protocol V1.1b3, section 7. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: "illegal function",
  2: "illegal data address",
  3: "illegal data value",
  4: "server device failure",
  6: "server device busy",
  10: "gateway path unavailable",
  11: "gateway target device failed to respond",
};

const [place = "", verb, table, address = "", value = "1"] = process.argv.slice(2);
const [, host, port] = /^(.+):(\d+)$/.exec(place) ?? [];
const whole = [address, value].every((text) => /^\d{1,5}$/.test(text));
const known =
  (verb === "read" && (table === "input" || table === "holding")) ||
  (verb === "write" && table === "holding");
if (host === undefined || !whole || !known) {
  console.error(USAGE);
  process.exit(2);
}

const client = new modbusSerial.default();
try {
  await client.connectTCP(host, { port: Number(port), timeout: TIMEOUT });
  client.setID(UNIT);
  client.setTimeout(TIMEOUT);
  await ask(Number(address), Number(value));
} catch (error) {
  console.error(`${verb} of ${table} register ${address} failed: ${reason(error)}`);
  process.exitCode = 1;
} finally {
  client.close(() => {});
}

async function ask(at: number, number: number): Promise<void> {
  if (verb === "write") {
    await client.writeRegister(at, number);
    console.log(`holding register ${at} was written: ${number}`);
    return;
  }
  const { data } =
    table === "input"
      ? await client.readInputRegisters(at, number)
      : await client.readHoldingRegisters(at, number);
  for (const [index, each] of data.entries()) console.log(`${table} register ${at + index}: ${each}`);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!("modbusCode" in error) || typeof error.modbusCode !== "number") return error.message;
  return `exception ${error.modbusCode}, ${EXCEPTIONS[error.modbusCode] ?? "unknown"}`;
}
