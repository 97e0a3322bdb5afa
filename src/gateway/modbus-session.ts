import type { Socket } from "node:net";
import type { RecordDraft } from "../audit/index.ts";
import { PeerError } from "../base/index.ts";
import type { Flushable, Lane, MachinePort } from "../machine/index.ts";
import {
  decodeRequest,
  describeOperation,
  encodeException,
  encodeReply,
  exceptionTo,
  FrameBuffer,
  MBAP_HEADER,
  MBAP_MAX_FRAME,
  transactionId,
  unitId,
  writeHeader,
  type Operation,
  type Reply,
} from "../modbus/index.ts";
import { cut } from "./cut.ts";
import { ModbusRequest, type Refused, type RequestHost } from "./modbus-request.ts";
import { recordedOperation } from "./recorded.ts";
import { Session, type Opening, type Surroundings } from "./session.ts";
import { DenialTally, ReadTally } from "./tally.ts";
import type { WriteGate } from "./write-gate.ts";

/** Requests of one session without an answer; beyond it, exception 06. */
export const MAX_SESSION_PENDING = 64;
/** Bytes of a malformed frame kept for the record. */
const MAX_MALFORMED = 300;

/** Bytes of an exception reply with its header. */
const EXCEPTION_FRAME = MBAP_HEADER + 2;

/** What a reply repeats of its request. */
interface ReplyHeader {
  readonly id: number;
  readonly unit: number;
  readonly functionCode: number;
}

function replyHeader({ id, operation: { unit, functionCode } }: ModbusRequest): ReplyHeader {
  return { id, unit, functionCode };
}

/** A session that speaks Modbus: frames in, decisions, the machine's port, frames out. */
export class ModbusSession extends Session implements Flushable, RequestHost {
  readonly port: MachinePort;
  readonly lane: Lane;
  readonly gate: WriteGate;
  readonly #socket: Socket;
  readonly #frames = new FrameBuffer();
  readonly #tally = new ReadTally();
  readonly #denied = new DenialTally();
  readonly #openWrites = new Set<string>();
  /** Requests that came behind a write which is not with the machine yet; they keep their order. */
  readonly #held: ModbusRequest[] = [];
  #holding = false;
  #pending = 0;
  #out: Buffer | null = null;
  #outLength = 0;
  #dirty = false;
  /** The client sends no more, and waits for its answers. */
  #halfClosed = false;

  constructor(opening: Opening, around: Surroundings, socket: Socket, port: MachinePort, gate: WriteGate) {
    super(opening, around);
    this.#socket = socket;
    this.port = port;
    this.lane = port.openLane();
    this.gate = gate;
  }

  start(): void {
    this.#socket.on("data", (chunk) => this.#data(chunk));
    this.#socket.on("drain", () => this.#socket.resume());
    this.#socket.allowHalfOpen = true;
    this.#socket.on("end", () => {
      this.#halfClosed = true;
      this.#endOnceAnswered();
    });
    this.#socket.on("close", () => this.end("the client's connection was closed"));
  }

  override report(now: number, all: boolean): void {
    const interval = this.around.snapshot().site.limits.readSummaryInterval;
    const due = (since: number): boolean => since >= 0 && (all || now - since >= interval || now < since);
    const { since } = this.#tally;
    if (due(since)) {
      const counts = this.#tally.take(describeOperation);
      this.note({
        ...this.about(),
        kind: "reads",
        decision: "permit",
        counts,
        duration: Math.max(0, now - since),
      });
    }
    const deniedSince = this.#denied.since;
    if (!due(deniedSince)) return;
    const repeated = this.#denied.take();
    if (repeated === 0) return;
    this.note({
      ...this.about(),
      kind: "operation",
      decision: "denial",
      reason: `${repeated} more denials like those recorded, or beyond the kinds that are told apart`,
      counts: { denials: repeated },
      duration: Math.max(0, now - deniedSince),
    });
  }

  override openWrites(): string[] {
    return [...this.#openWrites];
  }

  protected override stop(): void {
    this.port.closeLane(this.lane);
    cut(this.#socket);
    this.#out = null;
    for (const request of this.#held.splice(0)) request.abandon();
  }

  // --- what arrives -----------------------------------------------------------------------------------------------

  #data(chunk: Buffer): void {
    if (this.ended || this.condemned) return;
    this.bytesIn += chunk.length;
    this.lastActive = this.around.clock.now();
    const { requests, answers } = this.around.flushers;
    // With other sessions about, requests to the machine gather over the turn; alone, this one has all that will come.
    const alone = this.port.lanes === 1;
    if (alone) requests.hold();
    answers.hold();
    try {
      this.#frames.push(chunk);
      while (!this.ended && this.#frames.next()) {
        this.#frame(this.#frames.bytes, this.#frames.start, this.#frames.end);
      }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#malformed(error, chunk);
    } finally {
      answers.release();
      if (alone) requests.release();
    }
  }

  #frame(bytes: Uint8Array, start: number, end: number): void {
    const id = transactionId(bytes, start);
    const unit = unitId(bytes, start);
    let operation: Operation;
    try {
      operation = decodeRequest(unit, bytes, start + MBAP_HEADER, end);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#invalid(
        error,
        { id, unit, functionCode: bytes[start + MBAP_HEADER] ?? 0 },
        bytes.subarray(start, end),
      );
      return;
    }
    const request = new ModbusRequest(this, id, operation);
    if (this.#pending >= MAX_SESSION_PENDING) {
      this.#pending++;
      request.deny({
        stage: "limit",
        rule: null,
        reason: `${MAX_SESSION_PENDING} requests of this session are unanswered, the limit`,
        advice: "Let the client wait for answers before it asks more.",
        exception: 6,
      });
      return;
    }
    this.#pending++;
    if (this.#holding) this.#held.push(request);
    else request.begin(this.around.latest(this.lastActive));
  }

  /** Well framed, and no request that the specification allows: the client gets the exception for that, and goes on. */
  #invalid(error: PeerError, header: ReplyHeader, bytes: Uint8Array): void {
    const exception = exceptionTo(error);
    this.denials++;
    if (this.#denied.first(`malformed ${error.code} ${header.functionCode}`, this.around.clock.now()))
      this.#noteMalformed(error, bytes, exception);
    this.#exception(header, exception);
  }

  #malformed(error: PeerError, bytes: Uint8Array): void {
    this.#noteMalformed(error, bytes);
    this.end(`the client sent a malformed frame: ${error.message}`);
  }

  #noteMalformed(error: PeerError, bytes: Uint8Array, exception?: number): void {
    this.note({
      ...this.about(),
      kind: "malformed",
      decision: "denial",
      stage: "malformed",
      reason: error.message,
      ...(exception === undefined ? {} : { exception }),
      detail: { code: error.code },
      bytes: Buffer.from(bytes.subarray(0, MAX_MALFORMED)).toString("hex"),
    });
  }

  // --- what requests ask of their session ---------------------------------------------------------------------------

  get surroundings(): Surroundings {
    return this.around;
  }

  hold(): void {
    this.#holding = true;
  }

  release(): void {
    this.#holding = false;
    while (!this.#holding && !this.ended) {
      const next = this.#held.shift();
      if (!next) return;
      next.begin(this.around.latest(this.around.clock.now()));
    }
  }

  countRead(request: ModbusRequest): void {
    this.reads++;
    this.#tally.count(request.operation, this.lastActive);
  }

  writeBegan(record: string): void {
    this.writes++;
    this.#openWrites.add(record);
  }

  operationDraft(): Omit<RecordDraft, "id"> {
    return { ...this.about(), kind: "operation" };
  }

  writeEnded(record: string, draft: Pick<RecordDraft, "outcome" | "exception" | "reason" | "stage">): void {
    this.#openWrites.delete(record);
    this.note({ ...this.about(), kind: "outcome", ref: record, ...draft });
  }

  denied(request: ModbusRequest, denial: Refused): void {
    this.denials++;
    const operation = recordedOperation(request.operation);
    if (
      !this.#denied.first(
        `${denial.stage} ${denial.rule} ${JSON.stringify(operation)}`,
        this.around.clock.now(),
      )
    )
      return;
    this.note({
      ...this.about(),
      kind: "operation",
      operation,
      decision: "denial",
      stage: denial.stage,
      ...(denial.rule === null ? {} : { rule: denial.rule }),
      reason: denial.reason,
      exception: denial.exception,
    });
  }

  // --- what leaves ------------------------------------------------------------------------------------------------

  reply(request: ModbusRequest, reply: Reply): void {
    this.#pending--;
    if (this.ended) return;
    const out = this.#room(MBAP_HEADER + 1 + reply.data.length);
    const at = this.#outLength;
    this.#sent(replyHeader(request), out, at, encodeReply(request.operation, reply, out, at + MBAP_HEADER));
    this.#endOnceAnswered();
  }

  replyException(request: ModbusRequest, exception: number): void {
    this.#pending--;
    if (this.ended) return;
    this.#exception(replyHeader(request), exception);
    this.#endOnceAnswered();
  }

  #exception(header: ReplyHeader, exception: number): void {
    const out = this.#room(EXCEPTION_FRAME);
    const at = this.#outLength;
    this.#sent(header, out, at, encodeException(header.functionCode, exception, out, at + MBAP_HEADER));
  }

  /** Its side ended first: it has its answers, and then the connection ends. */
  #endOnceAnswered(): void {
    if (!this.#halfClosed || this.#pending > 0) return;
    this.flush();
    this.#socket.end(() => this.end("the client closed the connection"));
  }

  flush(): void {
    this.#dirty = false;
    const out = this.#out;
    this.#out = null;
    if (!out || this.ended) return;
    this.bytesOut += this.#outLength;
    // A client that does not read its answers is not read either.
    const whole = this.#outLength === out.length ? out : out.subarray(0, this.#outLength);
    if (!this.#socket.write(whole)) this.#socket.pause();
  }

  /** One answer a turn is the rule, and has a buffer of just its size; more share a larger one. */
  #room(length: number): Buffer {
    if (this.#out === null) {
      this.#outLength = 0;
      this.#out = Buffer.allocUnsafe(Math.max(length, EXCEPTION_FRAME));
    } else if (this.#out.length - this.#outLength < length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#out.length * 2, 4 * MBAP_MAX_FRAME));
      this.#out.copy(larger, 0, 0, this.#outLength);
      this.#out = larger;
    }
    return this.#out;
  }

  #sent({ id, unit }: ReplyHeader, out: Buffer, at: number, end: number): void {
    writeHeader(out, at, id, unit, end - at - MBAP_HEADER);
    this.#outLength = end;
    if (this.#dirty) return;
    this.#dirty = true;
    this.around.flushers.answers.add(this);
  }
}
