/** A snapshot, a recorder's ear and a UDP client, for what machines ask the appliance itself. */
import { createSocket } from "node:dgram";
import type { RecordDraft } from "../../../src/audit/index.ts";
import { systemClock } from "../../../src/base/index.ts";
import type { ResponderOptions } from "../../../src/gateway/responder.ts";
import { parseSite, type Destination, type Machine, type Snapshot } from "../../../src/site/index.ts";
import type { Teardown } from "../../support/processes.ts";

const EMPTY = "niac: 1\nsite: { name: test, appliance: box.plant.example, timeZone: UTC }\n";

export function machine(name: string, address: string): Machine {
  return {
    name,
    description: "",
    whenUnrecorded: "deny",
    address,
    mac: "02:00:00:00:00:01",
    ping: false,
    standIn: null,
    services: [],
  };
}

export function destination(
  name: string,
  machines: readonly string[],
  names: readonly string[],
  address: string,
): Destination {
  return {
    name,
    reason: "of a test",
    line: 1,
    machines,
    how: "forward",
    host: names[0] ?? address,
    ports: [{ start: 443, end: 443 }],
    transport: "tcp",
    address,
    names,
    source: "machine",
    service: null,
    serverName: null,
  };
}

/** press-4 at 127.0.0.1, whom all of the tests' own packets come from, and saw-1 at 127.0.0.9. */
export function snapshotWith(
  destinations: readonly Destination[],
  timeServers: readonly string[] = [],
): Snapshot {
  const { snapshot } = parseSite(EMPTY, "site.yaml");
  if (!snapshot) throw new Error("the test's site document does not compile");
  return {
    ...snapshot,
    version: 7,
    machines: [machine("press-4", "127.0.0.1"), machine("saw-1", "127.0.0.9")],
    destinations,
    network: { mode: "inline", refusal: "reset", device: null, nameServers: [], timeServers },
  };
}

export interface Bed {
  readonly options: ResponderOptions;
  readonly drafts: RecordDraft[];
  use(snapshot: Snapshot): void;
}

export function responderBed(first: Snapshot): Bed {
  let snapshot = first;
  const drafts: RecordDraft[] = [];
  return {
    options: {
      address: "127.0.0.1",
      port: 0,
      clock: systemClock,
      recorder: { note: (draft) => drafts.push(draft) },
      snapshot: () => snapshot,
    },
    drafts,
    use: (next) => (snapshot = next),
  };
}

export interface UdpClient {
  send(bytes: Uint8Array): void;
  /** The next packet that comes. */
  next(): Promise<Buffer>;
}

export async function udpClient(
  t: Teardown,
  port: number,
  from = "127.0.0.1",
  to = "127.0.0.1",
): Promise<UdpClient> {
  const socket = createSocket("udp4");
  t.teardown(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, from, resolve));
  const came: Buffer[] = [];
  const waiting: Array<(bytes: Buffer) => void> = [];
  socket.on("message", (bytes) => {
    const first = waiting.shift();
    if (first) first(bytes);
    else came.push(bytes);
  });
  return {
    send: (bytes) => socket.send(bytes, port, to),
    next: () => {
      const first = came.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}
