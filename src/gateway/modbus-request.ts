import type { RecordDraft } from "../audit/index.ts";
import { UnavailableError } from "../base/index.ts";
import type { Lane, MachineFailure, MachinePort, Transaction } from "../machine/index.ts";
import {
  effect,
  exceptionName,
  readCoils,
  readRegisters,
  type Operation,
  type Reply,
} from "../modbus/index.ts";
import {
  decide,
  isDenial,
  isPermit,
  needsCurrent,
  RateBook,
  type NeedsCurrent,
  type OperationPermit,
  type SessionPermit,
} from "../policy/index.ts";
import type { Machine } from "../site/index.ts";
import { recordedOperation } from "./recorded.ts";
import { freshId, type Surroundings } from "./session.ts";
import type { WriteGate } from "./write-gate.ts";

/** A refusal on its way to the client and to the record; policy's denials have this form, the gateway's own too. */
export interface Refused {
  readonly stage: string;
  readonly rule: string | null;
  readonly reason: string;
  readonly advice: string;
  readonly exception: number;
}

/** What a request asks of its session. */
export interface RequestHost {
  readonly surroundings: Surroundings;
  readonly permit: SessionPermit;
  readonly machine: Machine;
  readonly port: MachinePort;
  readonly lane: Lane;
  readonly gate: WriteGate;
  readonly ended: boolean;
  /** Requests that come now wait, until release(). */
  hold(): void;
  release(): void;
  countRead(request: ModbusRequest): void;
  operationDraft(): Omit<RecordDraft, "id">;
  writeBegan(record: string): void;
  writeEnded(record: string, draft: Pick<RecordDraft, "outcome" | "exception" | "reason" | "stage">): void;
  denied(request: ModbusRequest, refused: Refused): void;
  reply(request: ModbusRequest, reply: Reply): void;
  replyException(request: ModbusRequest, exception: number): void;
}

/** Server device busy: what to answer when the reason passes by itself (section 7). */
const BUSY = 6;

/**
 * One request's way: decide, and a read goes to the machine; a write first goes on record, and is held against writes that
 * must not come between. It ends in exactly one answer to the client.
 */
export class ModbusRequest implements Transaction {
  /** The client's transaction id. */
  readonly id: number;
  readonly operation: Operation;
  permit: OperationPermit | null = null;
  deadline = 0;
  retried = false;
  lane: Lane | null = null;
  readonly #host: RequestHost;
  /** Of a write: its record's id once it was handed in, and how it stands in the gate. */
  #record: string | null = null;
  #gate: "out" | "shared" | "alone" = "out";
  #current: readonly number[] | null = null;

  constructor(host: RequestHost, id: number, operation: Operation) {
    this.#host = host;
    this.id = id;
    this.operation = operation;
  }

  /** `now`: milliseconds since the epoch. */
  begin(now: number): void {
    const host = this.#host;
    const verdict = this.#decide(now);
    if (isPermit(verdict)) {
      if (effect(this.operation) === "write") this.#write(verdict);
      else this.#read(verdict);
    } else if (isDenial(verdict)) {
      this.deny(verdict);
    } else if (needsCurrent(verdict)) {
      host.hold();
      host.gate.enter(true, () => {
        this.#gate = "alone";
        this.#look(verdict);
      });
    }
  }

  deny(refused: Refused): void {
    this.#host.denied(this, refused);
    this.#host.replyException(this, refused.exception);
  }

  /** The session is over, and this request was still waiting in it. */
  abandon(): void {
    this.#settle("not-sent", { reason: "the session ended before it was sent" });
  }

  answered(reply: Reply): void {
    if (reply.exception === 0) this.#settle("ok", {});
    else this.#settle("exception", { exception: reply.exception, reason: exceptionName(reply.exception) });
    this.#host.reply(this, reply);
  }

  failed(failure: MachineFailure): void {
    this.#settle(failure.outcome, { exception: failure.exception, reason: failure.reason });
    this.#host.replyException(this, failure.exception);
  }

  /** Charges the grant's operations per second. */
  #decide(now: number): ReturnType<typeof decide> {
    const { permit, surroundings } = this.#host;
    const { rates } = surroundings;
    return decide(
      permit,
      this.operation,
      now,
      this.#current === null ? { rates } : { rates, current: this.#current },
    );
  }

  /** It waited for its turn at the machine: a write goes only if it is still permitted, and is answered here if not. */
  lapsed(): boolean {
    if (effect(this.operation) === "read") return false;
    const again = this.#decideAgain();
    if (isPermit(again)) {
      this.permit = again;
      return false;
    }
    this.#refuseLate(again);
    return true;
  }

  /** By the rules, the time and the panel as they are now; what was charged once is not charged again. */
  #decideAgain(): ReturnType<typeof decide> {
    const { permit, surroundings } = this.#host;
    const rates = new RateBook(() => 0);
    const context = this.#current === null ? { rates } : { rates, current: this.#current };
    return decide(permit, this.operation, surroundings.latest(surroundings.clock.now()), context);
  }

  #read(permit: OperationPermit): void {
    const host = this.#host;
    const { problem } = host.surroundings.recorder;
    if (problem && host.machine.whenUnrecorded === "deny") {
      this.deny(unrecorded(problem));
      return;
    }
    this.permit = permit;
    host.countRead(this);
    host.port.submit(host.lane, this);
  }

  #write(permit: OperationPermit): void {
    this.#host.hold();
    this.#host.gate.enter(false, () => {
      this.#gate = "shared";
      if (this.#host.ended) this.abandon();
      else void this.#recordAndSend(permit);
    });
  }

  /** Asks the machine what it holds, and decides again with that. */
  #look(range: NeedsCurrent): void {
    const host = this.#host;
    if (host.ended) {
      this.abandon();
      return;
    }
    const coils = range.table === "coils";
    const operation: Operation = {
      unit: this.operation.unit,
      functionCode: coils ? 1 : 3,
      subFunction: -1,
      reads: { table: range.table, address: range.address, quantity: range.quantity },
      writes: null,
      files: [],
      data: new Uint8Array(0),
    };
    const failed = (reason: string, exception: number): void => {
      this.#leave();
      this.deny({
        stage: "change",
        rule: null,
        reason: `the value the machine holds decides on this write, and it could not be read: ${reason}`,
        advice: "Try again when the machine answers.",
        exception,
      });
      host.release();
    };
    host.port.submit(host.lane, {
      operation,
      permit: null,
      deadline: 0,
      retried: false,
      lane: null,
      lapsed: () => false,
      answered: (reply) => {
        if (host.ended) {
          this.abandon();
        } else if (reply.exception !== 0) {
          failed(
            `it answered with exception ${reply.exception}, ${exceptionName(reply.exception)}`,
            reply.exception,
          );
        } else {
          this.#current = coils ? readCoils(operation, reply) : readRegisters(reply);
          const { surroundings } = host;
          const verdict = this.#decide(surroundings.latest(surroundings.clock.now()));
          if (isPermit(verdict)) {
            void this.#recordAndSend(verdict);
          } else {
            this.#leave();
            if (isDenial(verdict)) this.deny(verdict);
            host.release();
          }
        }
      },
      failed: (failure) => failed(failure.reason, failure.exception),
    });
  }

  /** The record is committed before the machine sees the write; what may have changed since it was decided on is looked at again. */
  async #recordAndSend(permit: OperationPermit): Promise<void> {
    const host = this.#host;
    const { recorder } = host.surroundings;
    const draft: RecordDraft = {
      ...host.operationDraft(),
      id: freshId(),
      kind: "operation",
      operation: recordedOperation(this.operation),
      decision: "permit",
      rule: permit.rule,
    };
    this.#record = draft.id;
    host.writeBegan(draft.id);
    try {
      await recorder.commit([draft]);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      // Whether control still committed it is unknown; handing the same id in again stores it once, with what became of it.
      recorder.note(draft);
      if (host.machine.whenUnrecorded !== "allow") {
        this.#refuseLate(unrecorded(error));
        host.release();
        return;
      }
    }
    if (host.ended) {
      this.abandon();
      return;
    }
    const again = this.#decideAgain();
    if (isPermit(again)) {
      this.permit = again;
      host.port.submit(host.lane, this);
    } else {
      this.#refuseLate(again);
    }
    host.release();
  }

  /** Refused after its record was handed in: the record's outcome says that it was not sent, and why. */
  #refuseLate(verdict: Refused | NeedsCurrent): void {
    const refused = "stage" in verdict ? verdict : CHANGED;
    this.#settle("not-sent", { stage: refused.stage, reason: refused.reason, exception: refused.exception });
    this.deny(refused);
  }

  #settle(outcome: string, more: Pick<RecordDraft, "exception" | "reason" | "stage">): void {
    this.#leave();
    if (this.#record === null) return;
    this.#host.writeEnded(this.#record, { outcome, ...more });
    this.#record = null;
  }

  #leave(): void {
    if (this.#gate === "out") return;
    const alone = this.#gate === "alone";
    this.#gate = "out";
    this.#host.gate.leave(alone);
  }
}

const CHANGED: Refused = {
  stage: "change",
  rule: null,
  reason: "the site's rules changed while this write was under way",
  advice: "Send it again.",
  exception: BUSY,
};

export function unrecorded(problem: UnavailableError): Refused {
  return {
    stage: "unrecorded",
    rule: null,
    reason: `it could not be recorded: ${problem.message}`,
    advice: problem.advice ?? "Try again when the audit log takes records.",
    exception: BUSY,
  };
}
