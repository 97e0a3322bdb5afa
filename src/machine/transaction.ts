import { BugError } from "../base/index.ts";
import { effect, type Operation, type Reply } from "../modbus/index.ts";
import type { OperationPermit } from "../policy/index.ts";
import type { Flusher } from "./flusher.ts";
import type { Lane } from "./lane.ts";

/** Exceptions niac itself answers with (MODBUS Application Protocol V1.1b3, section 7). */
export const SERVER_DEVICE_BUSY = 0x06;
export const GATEWAY_PATH_UNAVAILABLE = 0x0a;
export const GATEWAY_TARGET_FAILED = 0x0b;

/** Why a transaction has no reply, and whether the machine may have carried it out. */
export interface MachineFailure {
  /** Modbus exception code for the client. */
  readonly exception: number;
  /** `not-sent`: the machine cannot have seen it; `timeout` and `unknown`: it may have. */
  readonly outcome: "not-sent" | "timeout" | "unknown";
  readonly reason: string;
}

/** One request to a machine. Exactly one of `answered` and `failed` is called, once; neither where `lapsed` said true. */
export interface Transaction {
  readonly operation: Operation;
  /** Null only for reads; see mayBeSent. */
  readonly permit: OperationPermit | null;
  /** Set by the machine's port: monotonic milliseconds after which it has failed; while it waits and once it was sent, each its own. */
  deadline: number;
  /** Set by the port: it was sent once on a connection that broke, and is sent again once at most. */
  retried: boolean;
  /** The lane it came by; set by the port. */
  lane: Lane | null;
  /** Asked as it leaves the queue, right before it is sent. True: it may no longer go, and has answered for itself. */
  lapsed(): boolean;
  /** `reply` is a view, valid during the call alone. */
  answered(reply: Reply): void;
  failed(failure: MachineFailure): void;
}

/** What a closed lane's waiting requests end with. */
export const LANE_CLOSED: MachineFailure = {
  exception: GATEWAY_TARGET_FAILED,
  outcome: "not-sent",
  reason: "the session ended before it was sent",
};

/** What both kinds of ports, TCP and serial line, offer. */
export interface MachinePort {
  /** A session's own way in: its requests keep their order, and lanes are served in turn. */
  openLane(): Lane;
  /** How many are open. */
  readonly lanes: number;
  submit(lane: Lane, transaction: Transaction): void;
  /** Fails what the lane has waiting; what is already with the machine ends as it will. */
  closeLane(lane: Lane): void;
  status(): PortStatus;
  close(): void;
}

export interface PortStatus {
  /** `closed`: working; `open`: not asked until `retryAt`; `half-open`: the next request tries again. */
  readonly circuit: "closed" | "open" | "half-open";
  readonly connections: number;
  readonly pending: number;
  readonly queued: number;
  readonly failures: number;
  readonly lastError: string | null;
}

/** Both kinds of writes that are gathered: to machines, over a turn of the event loop; to clients, over what one read brought. */
export interface Flushers {
  readonly requests: Flusher;
  readonly answers: Flusher;
}

export interface PortEvents {
  /** The circuit opened (`working` false) or closed again. */
  circuit(working: boolean, reason: string): void;
  /** The machine sent something that is not the answer to what it was asked. */
  violation(reason: string): void;
}

/**
 * The last gate before a machine: a write goes only with the permit that was made for this very operation. The type asks for
 * it already; this holds against a mistake the type cannot see.
 */
export function mayBeSent(transaction: Transaction): void {
  if (transaction.permit?.operation === transaction.operation) return;
  if (effect(transaction.operation) === "read") return;
  throw new BugError("write-without-permit", "a write was about to reach a machine without its permit");
}
