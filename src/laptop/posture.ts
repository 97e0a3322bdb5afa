/** `niac posture`: looks at this laptop, says what it found, and reports it where that is wanted. */
import type { PostureAnswer } from "../est/index.ts";
import { durationText, messageOf, NiacError } from "../base/index.ts";
import { pause } from "./pause.ts";
import { factsOf, type PostureFindings, type PostureHost } from "./posture-facts.ts";
import { lookAtHost } from "./posture-host.ts";
import { postFacts } from "./posture-post.ts";
import { answerLines, findingLines, standingText } from "./posture-show.ts";
import type { ProfileStore } from "./store.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

/** Milliseconds between looks while it watches: a change is reported at once, and the sooner the better. */
const LOOK = 30_000;
const SHORTEST = 1_000;
const FIRST_PAUSE = 10_000;
const LONGEST_PAUSE = 900_000;
/** Where nothing asks for reports now: the site document may, tomorrow. */
const UNASKED = 3_600_000;

/** Looks and shows; `store` null: reports to nobody. Rejects where the report was not taken. */
export async function postureOnce(
  host: PostureHost,
  store: ProfileStore | null,
  json: boolean,
  around: LaptopSurroundings,
): Promise<void> {
  const findings = await lookAtHost(host);
  const facts = factsOf(findings);
  if (!json) print(findingLines(findings), around);
  const answer = store === null ? null : await postFacts(store, facts);
  if (json) around.print(JSON.stringify({ facts, findings, answer }));
  else if (answer !== null) print(["", ...answerLines(answer, Date.now())], around);
}

/**
 * Reports when it is due and when something changed, until the person has had enough. A report that fails is tried again. `look`:
 * milliseconds between looks.
 */
export async function postureAlways(
  host: PostureHost,
  store: ProfileStore,
  around: LaptopSurroundings,
  look = LOOK,
): Promise<void> {
  const stop = new AbortController();
  void around.interrupted().then(() => stop.abort());
  store.demand();
  const watch = new Watch(around);
  let due = 0;
  let failures = 0;
  while (!stop.signal.aborted) {
    const findings = await lookAtHost(host);
    const changed = watch.found(findings);
    if (changed || Date.now() >= due) {
      try {
        const answer = await postFacts(store, factsOf(findings));
        watch.answered(answer);
        failures = 0;
        due = Date.now() + (answer.again === null ? UNASKED : answer.again * 1_000);
      } catch (error) {
        if (!(error instanceof NiacError)) throw error;
        failures++;
        const next = pauseAfter(failures);
        watch.failed(error, next);
        due = Date.now() + next;
      }
    }
    await pause(Math.max(SHORTEST, Math.min(look, due - Date.now())), stop.signal);
  }
}

/** Milliseconds after that many failures in a row (from 1 on). */
export function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 10));
}

/** Tells the person what is new, and nothing twice. */
class Watch {
  readonly #around: LaptopSurroundings;
  #facts = "";
  #standing = "";
  #failure = "";

  constructor(around: LaptopSurroundings) {
    this.#around = around;
  }

  /** Whether the facts are others than before. */
  found(findings: PostureFindings): boolean {
    const facts = JSON.stringify(factsOf(findings));
    if (facts === this.#facts) return false;
    this.#facts = facts;
    print(findingLines(findings), this.#around);
    return true;
  }

  answered(answer: PostureAnswer): void {
    const standing = standingText(answer);
    if (this.#failure !== "") this.#around.print("The box takes reports again.");
    this.#failure = "";
    if (standing === this.#standing) return;
    this.#standing = standing;
    print(["", ...answerLines(answer, Date.now()), ""], this.#around);
  }

  failed(error: NiacError, next: number): void {
    const words = messageOf(error);
    if (words === this.#failure) return;
    this.#failure = words;
    this.#around.complain(words);
    if (error.advice !== undefined) this.#around.complain(error.advice);
    this.#around.complain(`Next try in ${durationText(next)}.`);
  }
}

function print(lines: readonly string[], around: LaptopSurroundings): void {
  for (const line of lines) around.print(line);
}
