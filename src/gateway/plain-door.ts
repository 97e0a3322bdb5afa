import { withoutCertificate } from "../identity/index.ts";
import {
  destinationAt,
  machineAt,
  plainService,
  type Destination,
  type Service,
  type Snapshot,
  type UnauthenticatedSource,
} from "../site/index.ts";
import type { PlainArrival } from "./plain-listener.ts";
import { recordedIdentity } from "./recorded.ts";
import type { House, Reception, Visit } from "./reception.ts";
import { freshId } from "./session.ts";

/**
 * Lets in who has no certificate: a client of `unsafeUnauthenticated` to the services listed for it, a machine to its
 * destinations. That the station is the one it says is the kernel's ruleset's to know, which lets nobody come here whose MAC address,
 * port and IP address do not go together; what is asked for is judged here as everybody's.
 */
export class PlainDoor {
  readonly #house: House;
  readonly #reception: Reception;

  constructor(house: House, reception: Reception) {
    this.#house = house;
    this.#reception = reception;
  }

  async admit(arrival: PlainArrival): Promise<void> {
    const judge = arrival.role === "plain" ? judgeSource : judgeMachine;
    const { clock } = this.#house;
    const found = judge(this.#house.snapshot(), arrival, this.#house.latest(clock.now()));
    if ("reason" in found) {
      const { stage, reason, ...about } = found;
      this.#reception.refuse(arrival, { stage, reason }, about);
      return;
    }
    const { socket, source, asked } = arrival;
    const detail = { ...found.detail, asked: `${asked.address}:${asked.port}` };
    await this.#reception.receive({ ...found, ...UNCERTIFIED, id: freshId(), socket, source, detail });
  }
}

/** Nothing is asked about who has no certificate. */
const UNCERTIFIED = { issuer: "", unasked: null } as const;

type Found = Omit<Visit, "socket" | "source" | "id" | keyof typeof UNCERTIFIED>;
type Refused = { readonly stage: string; readonly reason: string } & Partial<
  Parameters<Reception["refuse"]>[2]
>;
type Ends = Pick<PlainArrival, "source" | "asked">;

/** Which source it is, and what it wants. `now`: milliseconds since the epoch. */
export function judgeSource(snapshot: Snapshot, { source, asked }: Ends, now: number): Found | Refused {
  const where = `${asked.address} port ${asked.port}`;
  const there = plainService(snapshot, asked.address, asked.port);
  if (!there) return { stage: "service", reason: `no machine of this site has a service at ${where}` };
  const { machine, service } = there;
  const about = { machine: machine.name, service: service.name };
  const pair = `${machine.name}/${service.name}`;
  const known = sourcesAt(snapshot, source.address).find(({ services }) => services.includes(pair));
  if (!known) {
    const reason = `${source.address} may not connect to ${pair} without a certificate`;
    return { stage: "source", reason, ...about };
  }
  const identity = withoutCertificate("source", known.name);
  // Its grant ends at that time as well; it is looked at here again, because there is no certificate that would end.
  if (now >= known.until) {
    const until = new Date(known.until).toISOString();
    const reason = `${known.name} might connect to ${pair} without a certificate until ${until}`;
    return { stage: "when", reason, ...about, rule: known.name, identity: recordedIdentity(identity) };
  }
  return { identity, machine, service, destination: null, detail: { owner: known.owner } };
}

/** Which machine it is, and what it wants of which destination. */
export function judgeMachine(snapshot: Snapshot, { source, asked }: Ends): Found | Refused {
  const machine = machineAt(snapshot, source.address);
  if (!machine) {
    return { stage: "source", reason: `${source.address} is the address of no machine of this site` };
  }
  const identity = withoutCertificate("machine", machine.name);
  const about = { machine: machine.name, identity: recordedIdentity(identity) };
  const where = `${asked.address} port ${asked.port}`;
  const destination = destinationAt(snapshot, machine.name, asked.address, asked.port, "tcp");
  if (!destination) {
    const reason = `${machine.name} may not connect to ${where}: no destination of the site document allows it`;
    return { stage: "destination", reason, ...about };
  }
  const { name, how, service } = destination;
  if (service === null) {
    const reason = `${machine.name} connected to ${where}: the kernel passes that on itself (destination "${name}", ${how})`;
    return { stage: "destination", reason, ...about };
  }
  return { identity, machine, destination, service, detail: outsideDetail(destination, service) };
}

function sourcesAt({ unauthenticated }: Snapshot, address: string): UnauthenticatedSource[] {
  return unauthenticated.filter((each) => each.address === address);
}

function outsideDetail({ how, source, serverName }: Destination, { tcp }: Service): Record<string, string> {
  return {
    how,
    server: tcp === null ? "" : `${tcp.host}:${tcp.port}`,
    seenAs: source,
    ...(serverName === null ? {} : { serverName }),
  };
}
