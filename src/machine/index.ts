/**
 * Connections to machines: a pool for Modbus TCP, a serial line for Modbus RTU. Transaction ids of their own, sessions served in
 * turn, limits, time-outs, back-off. A write is taken only together with the permit that policy/ made for it.
 */
import type { Clock } from "../base/index.ts";
import type { ModbusService } from "../site/index.ts";
import type { Dial } from "./dial.ts";
import { SerialPort } from "./serial-port.ts";
import { TcpPort } from "./tcp-port.ts";
import type { Flushers, MachinePort, PortEvents } from "./transaction.ts";

export { dialTcp, type Dial, type Dialled, type DialOptions } from "./dial.ts";
export { Flusher, type Flushable } from "./flusher.ts";
export type { Lane } from "./lane.ts";
export {
  GATEWAY_TARGET_FAILED,
  SERVER_DEVICE_BUSY,
  type Flushers,
  type MachineFailure,
  type MachinePort,
  type PortEvents,
  type PortStatus,
  type Transaction,
} from "./transaction.ts";

/**
 * `name` is the machine's, or the destination's, for messages. Connects when it is first asked something; `dial` says how, where
 * it is not simply by TCP.
 */
export function openPort(
  name: string,
  service: ModbusService,
  flushers: Flushers,
  clock: Clock,
  events: PortEvents,
  dial?: Dial,
): MachinePort {
  if (service.serial) return new SerialPort({ ...service, name, serial: service.serial }, clock, events);
  if (service.tcp) {
    const options = { ...service, name, tcp: service.tcp, ...(dial ? { dial } : {}) };
    return new TcpPort(options, flushers, clock, events);
  }
  throw new TypeError(`service ${service.name} of ${name} has neither an address nor a serial line`);
}
