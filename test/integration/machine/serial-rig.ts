/** A serial line without hardware: two pseudo-terminals that socat joins, and an RTU machine at the far end. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { SerialPort as Device } from "serialport";
import { SerialPort, type SerialPortOptions } from "../../../src/machine/serial-port.ts";
import { encodeRtu } from "../../../src/modbus/index.ts";
import { end, until } from "../../support/processes.ts";
import { AheadClock, read } from "../../unit/machine/requests.ts";
import { goodPdu, type PortUnderTest } from "./rig.ts";

/** Milliseconds for an answer that comes, and for one that does not. */
export const PATIENT = 60_000;
export const IN_VAIN = 200;
/** And longer than the line has to be silent between two frames. */
export const SILENCE = 10;

export class Line {
  readonly near: string;
  readonly far: string;
  #socat: ChildProcess | null = null;

  private constructor(dir: string) {
    this.near = join(dir, "near");
    this.far = join(dir, "far");
  }

  static async start(t: ExecutionContext): Promise<Line> {
    const dir = mkdtempSync(join(tmpdir(), "niac-line-"));
    const line = new Line(dir);
    t.teardown(async () => {
      await line.cut();
      rmSync(dir, { recursive: true, force: true });
    });
    await line.join();
    return line;
  }

  async join(): Promise<void> {
    const ends = [this.near, this.far].map((link) => `pty,raw,echo=0,link=${link}`);
    this.#socat = spawn("socat", ends, { stdio: "ignore" });
    await until(() => existsSync(this.near) && existsSync(this.far), "socat to make the line");
  }

  async cut(): Promise<void> {
    const socat = this.#socat;
    this.#socat = null;
    if (socat) await end(socat);
  }
}

/** A machine on the line, which sees requests of functions 3 and 6 and 8 bytes of any other. */
export class RtuMachine {
  readonly seen: Buffer[] = [];
  onRequest: (request: Buffer) => void | Promise<void> = (request) => this.send(goodFrame(request));
  readonly #device: Device;
  #bytes = Buffer.alloc(0);

  private constructor(device: Device) {
    this.#device = device;
    device.on("error", () => {});
    device.on("data", (chunk: Buffer) => this.#data(chunk));
  }

  static async start(t: ExecutionContext, path: string): Promise<RtuMachine> {
    const device = new Device({ path, baudRate: 115_200, autoOpen: false });
    await new Promise<void>((resolve, reject) => device.open((error) => (error ? reject(error) : resolve())));
    const machine = new RtuMachine(device);
    t.teardown(() => machine.stop());
    return machine;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#device.isOpen) this.#device.close(() => resolve());
      else resolve();
    });
  }

  /** Resolves once all of it is on the line. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#device.write(Buffer.from(bytes));
      this.#device.drain(() => resolve());
    });
  }

  #data(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 8) {
      const request = this.#bytes.subarray(0, 8);
      this.#bytes = this.#bytes.subarray(8);
      this.seen.push(request);
      void this.onRequest(request);
    }
  }
}

export function rtuFrame(unit: number, pdu: Uint8Array): Buffer {
  const out = Buffer.alloc(256);
  return out.subarray(0, encodeRtu(unit, pdu, 0, pdu.length, out, 0));
}

export function goodFrame(request: Buffer): Buffer {
  return rtuFrame(request[0]!, goodPdu(request.subarray(1)));
}

/** A clock that tells how often it was looked at, which the port does for all bytes that come while nothing is asked. */
export class WatchedClock extends AheadClock {
  looks = 0;

  override monotonic(): number {
    this.looks += 1;
    return super.monotonic();
  }
}

export interface SerialUnderTest extends PortUnderTest {
  readonly clock: WatchedClock;
  /** The next requests', milliseconds. */
  readonly answerWithin: (milliseconds: number) => void;
}

/**
 * A port that has asked the machine once, so that the line is open and silent: what is submitted next is sent at once, and given up after a
 * short time.
 */
export async function openInVain(
  t: ExecutionContext,
  line: Line,
  machine: RtuMachine,
  options: Partial<SerialPortOptions> = {},
): Promise<SerialUnderTest> {
  const opened = openSerial(t, line.near, options);
  const first = read(0);
  opened.port.submit(opened.port.openLane(), first);
  await first.done;
  machine.seen.length = 0;
  opened.clock.forward(SILENCE);
  opened.answerWithin(IN_VAIN);
  return opened;
}

/** Sends bytes that the port has asked nobody for, and resolves once it has read them. */
export async function sendUnasked(
  machine: RtuMachine,
  { clock }: SerialUnderTest,
  bytes: Uint8Array,
): Promise<void> {
  const { looks } = clock;
  await machine.send(bytes);
  await until(() => clock.looks > looks, "the port to read what nobody asked for");
}

export function openSerial(
  t: ExecutionContext,
  path: string,
  options: Partial<SerialPortOptions> = {},
): SerialUnderTest {
  const clock = new WatchedClock();
  const events: Array<boolean | string> = [];
  const given = {
    name: "drive-1",
    serial: { path, baudRate: 115_200, parity: "none", stopBits: 1 } as const,
    maxQueued: 100,
    requestTimeout: PATIENT,
    queueTimeout: PATIENT,
    ...options,
  };
  const port = new SerialPort(given, clock, {
    circuit: (working) => events.push(working),
    violation: (reason) => events.push(reason),
  });
  t.teardown(() => port.close());
  return { port, clock, events, answerWithin: (milliseconds) => (given.requestTimeout = milliseconds) };
}
