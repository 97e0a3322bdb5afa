import type { Socket } from "node:net";
import { BugError } from "../base/index.ts";
import { dialFor, type Outside } from "./dial.ts";
import type { Machines } from "./machines.ts";
import { ModbusSession } from "./modbus-session.ts";
import { RelaySession } from "./relay-session.ts";
import { placeOf } from "./served.ts";
import { type Opening, type Session, type Surroundings } from "./session.ts";

/** What a new session is connected to. */
interface Behind extends Surroundings {
  readonly machines: Machines;
  outside(): Outside;
}

/** The session that fits the service; nothing flows in it before its start(). */
export function sessionFor(opening: Opening, behind: Behind, socket: Socket): Session {
  const { machine, destination, service } = opening;
  const dial = dialFor(service, machine, destination, () => behind.outside());
  if (service.protocol === "tcp") {
    if (dial) return new RelaySession(opening, behind, socket, dial);
    throw new BugError("no-dial", `${service.name} of ${placeOf(opening)} has no address to connect to`);
  }
  const { port, gate } = behind.machines.get({ machine, destination, service }, dial);
  return new ModbusSession(opening, behind, socket, port, gate);
}
