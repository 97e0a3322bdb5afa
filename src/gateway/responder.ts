import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { messageOf, systemCode, UnavailableError, type Clock } from "../base/index.ts";
import type { Machine, Snapshot } from "../site/index.ts";
import type { Recorder } from "./recorder.ts";
import { Repeats, type RepeatedDraft } from "./repeats.ts";
import { freshId } from "./session.ts";

export interface ResponderOptions {
  /** IPv4 address and UDP port to answer at; port 0: any that is free. */
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly recorder: Pick<Recorder, "note">;
  /** The one in force. */
  snapshot(): Snapshot;
}

export interface Query {
  readonly bytes: Uint8Array;
  readonly machine: Machine;
  /** `address:port`. */
  readonly source: string;
  readonly snapshot: Snapshot;
  /** When it came, on the monotonic clock. */
  readonly received: number;
}

/** What of a refused query is its record. */
type RefusedQuery = Pick<RepeatedDraft, "stage" | "reason" | "detail" | "bytes"> & {
  readonly kind: "flow.refused" | "malformed";
};

/** The answer, or null for none. What it refuses it hands to `refuse`. */
export type Answering = (
  query: Query,
  refuse: (alike: string, refused: RefusedQuery) => void,
) => Uint8Array | null | Promise<Uint8Array | null>;

/**
 * A UDP service that the appliance answers itself, to machines of the site document and nobody else. An answer goes to where its
 * query came from and is about as long, so nothing is amplified.
 */
export class Responder {
  readonly #socket: Socket;
  readonly #options: ResponderOptions;
  readonly #name: string;
  readonly #perSecond: number;
  readonly #answer: Answering;
  readonly #refusals: Repeats;
  #index: { readonly of: Snapshot; readonly machines: ReadonlyMap<string, Machine> } | null = null;
  #second = 0;
  readonly #asked = new Map<string, number>();

  private constructor(
    socket: Socket,
    options: ResponderOptions,
    name: string,
    perSecond: number,
    answer: Answering,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#name = name;
    this.#perSecond = perSecond;
    this.#answer = answer;
    const { recorder, clock } = options;
    const note = (draft: RepeatedDraft): void =>
      recorder.note({ ...draft, id: freshId(), time: clock.now() });
    this.#refusals = new Repeats(note, clock, "refused queries", "queries");
    socket.on("message", (bytes, from) => void this.#arrived(bytes, from));
    socket.on("error", (error) => this.#failed(error));
  }

  /** `name` is the protocol's, `perSecond` how many queries of one machine are looked at. UnavailableError `listen`. */
  static async open(
    options: ResponderOptions,
    name: string,
    perSecond: number,
    answer: Answering,
  ): Promise<Responder> {
    return new Responder(await bound(options, name), options, name, perSecond, answer);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Records the sums that are due; to be called now and then. */
  report(): void {
    this.#refusals.report(false);
  }

  async close(): Promise<void> {
    this.#refusals.report(true);
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  async #arrived(bytes: Uint8Array, from: RemoteInfo): Promise<void> {
    const { clock } = this.#options;
    const received = clock.monotonic();
    const snapshot = this.#options.snapshot();
    const source = `${from.address}:${from.port}`;
    const machine = this.#machinesOf(snapshot).get(from.address);
    const refuse = (alike: string, refused: RefusedQuery): void =>
      this.#refusals.add(machine?.name ?? "", alike, {
        ...(machine === undefined ? {} : { machine: machine.name }),
        decision: "denial",
        source,
        siteVersion: snapshot.version,
        ...refused,
      });
    const stage = this.#name.toLowerCase();
    if (!machine) {
      const reason = `${from.address} asked the appliance's ${this.#name} and is no machine's address`;
      return refuse("source", { kind: "flow.refused", stage, reason });
    }
    if (!this.#admit(machine.name, received)) {
      const reason = `${machine.name} sent more than ${this.#perSecond} ${this.#name} queries in a second; those beyond get no answer`;
      return refuse("rate", { kind: "flow.refused", stage, reason });
    }
    const answer = await this.#answer({ bytes, machine, source, snapshot, received }, refuse);
    if (answer !== null) this.#send(answer, from);
  }

  #send(answer: Uint8Array, to: RemoteInfo): void {
    try {
      // A machine that went away between question and answer asks again; there is nobody to tell.
      this.#socket.send(answer, to.port, to.address, () => {});
    } catch (error) {
      // Closed while the answer was made.
      if (systemCode(error) !== "ERR_SOCKET_DGRAM_NOT_RUNNING") throw error;
    }
  }

  #admit(machine: string, now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) this.#asked.clear();
    this.#second = second;
    const asked = (this.#asked.get(machine) ?? 0) + 1;
    this.#asked.set(machine, asked);
    return asked <= this.#perSecond;
  }

  #machinesOf(snapshot: Snapshot): ReadonlyMap<string, Machine> {
    if (this.#index?.of === snapshot) return this.#index.machines;
    const machines = new Map<string, Machine>();
    for (const machine of snapshot.machines)
      if (machine.address !== null) machines.set(machine.address, machine);
    this.#index = { of: snapshot, machines };
    return machines;
  }

  #failed(error: Error): void {
    const { clock, recorder } = this.#options;
    const reason = `the appliance's ${this.#name} cannot receive: ${messageOf(error)}`;
    recorder.note({ time: clock.now(), kind: "process", id: freshId(), reason });
  }
}

function bound({ address, port }: ResponderOptions, name: string): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      reject(
        new UnavailableError(
          "listen",
          `niac cannot answer ${name} at ${address} port ${port} (${systemCode(error)})`,
          "Check that the address is one of this appliance's and that no other program answers there.",
          { cause: error },
        ),
      );
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}
