/** How much a document's rules may speak of, over all: what a snapshot holds, travels with and is asked for. */
import type { Path, Reporter } from "./findings.ts";

/** Services over all rules, and machines over all destinations. */
export const MAX_RULE_SERVICES = 500_000;

/** Beyond the limit one finding says so, and nothing further need be compiled. */
export class Budget {
  readonly #reporter: Reporter;
  #spent = 0;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  get exceeded(): boolean {
    return this.#spent > MAX_RULE_SERVICES;
  }

  /** False where this is too much, now or already. */
  spend(count: number, path: Path): boolean {
    if (this.exceeded) return false;
    this.#spent += count;
    if (!this.exceeded) return true;
    const message = `up to this rule, rules speak of ${this.#spent} services, at most ${MAX_RULE_SERVICES}`;
    this.#reporter.error(path, message, { expected: "fewer rules for all machines" });
    return false;
  }
}
