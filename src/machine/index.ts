/**
 * Connections to machines: a pool for Modbus TCP, a serial line for Modbus RTU. Transaction ids of their own, sessions served in
 * turn, limits, time-outs, back-off. A write is taken only together with the permit that policy/ made for it.
 */
import type { Clock } from "../base/index.ts";
import type { ModbusService } from "../site/index.ts";
import { SerialPort } from "./serial-port.ts";
import { TcpPort } from "./tcp-port.ts";
import type { Flushers, MachinePort, PortEvents } from "./transaction.ts";

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

/** `name` is the machine's, for messages. Connects when it is first asked something. */
export function openPort(
  name: string,
  service: ModbusService,
  flushers: Flushers,
  clock: Clock,
  events: PortEvents,
): MachinePort {
  if (service.serial) return new SerialPort({ ...service, name, serial: service.serial }, clock, events);
  if (service.tcp) return new TcpPort({ ...service, name, tcp: service.tcp }, flushers, clock, events);
  throw new TypeError(`service ${service.name} of ${name} has neither an address nor a serial line`);
}
