import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { AuditLog } from "../audit/index.ts";
import { messageOf, type Clock, type NiacError } from "../base/index.ts";

/** What was said of one authority last, so that each thing is said once. */
interface Said {
  trouble: string | null;
  grace: string | null;
  /** Codes of what went wrong since it last went well. */
  readonly problems: Set<string>;
}

const REASON_LENGTH = 1_000;

/** What becomes of outside authorities, for log and record: when it begins and when it is over, and not each minute between. */
export class OutsideNotices {
  readonly #append: AuditLog["append"];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #said = new Map<string, Said>();

  constructor(append: AuditLog["append"], clock: Clock, log: Logger) {
    this.#append = append;
    this.#clock = clock;
    this.#log = log;
  }

  record(reason: string, detail: Readonly<Record<string, string | number>> = {}): void {
    const draft = {
      time: this.#clock.now(),
      kind: "trust" as const,
      id: randomUUID(),
      reason: reason.slice(0, REASON_LENGTH),
      detail,
    };
    this.#log.info(detail, reason);
    this.#append([draft], "soon").catch((error: unknown) =>
      this.#log.error({ reason: messageOf(error), lost: reason }, "a record of trust was lost"),
    );
  }

  /** Of a server: what could not be had of it, or null when it can be had again. `what`: "the revocation list". */
  server(name: string, what: string, problem: NiacError | null): void {
    const { problems } = this.#of(name);
    if (problem === null) {
      if (problems.size > 0) this.record(`${what} of ${name} is to be had again`);
      problems.clear();
      return;
    }
    const { code, message, advice } = problem;
    this.#log.warn({ authority: name, reason: message, advice }, `${what} is not to be had`);
    if (problems.has(code)) return;
    problems.add(code);
    this.record(`${what} of ${name} is not to be had: ${message}`, { code });
  }

  /** Of lists that are missing or run out; null: none. */
  trouble(name: string, trouble: string | null): void {
    const said = this.#of(name);
    if (said.trouble === trouble) return;
    said.trouble = trouble;
    if (trouble === null) this.record(`revocation lists for ${name} are in order again`);
    else this.#log.warn({ authority: name }, "an outside authority needs to be seen to");
    if (trouble !== null) this.record(`authority ${name}: ${trouble}`);
  }

  /** Somebody was let in although revocation is not known. */
  grace(name: string, grace: string): void {
    const said = this.#of(name);
    if (said.grace === grace) return;
    said.grace = grace;
    this.#log.warn(
      { authority: name, reason: grace },
      "certificates are let in although revocation is not known",
    );
    this.record(`certificates of ${name} are let in although revocation is not known: ${grace}`);
  }

  forget(name: string): void {
    this.#said.delete(name);
  }

  #of(name: string): Said {
    let said = this.#said.get(name);
    if (said === undefined) {
      said = { trouble: null, grace: null, problems: new Set() };
      this.#said.set(name, said);
    }
    return said;
  }
}
