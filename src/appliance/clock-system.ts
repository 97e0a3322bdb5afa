/**
 * The image's clock. Control may not set it: it asks, by a file that holds a number of seconds and nothing else, and a unit of root's that
 * can do this alone (niac-clock-set) does it and answers in a file beside. The plant's time servers go to chrony the same way.
 */
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { UnavailableError } from "../base/index.ts";
import { readClockChip, type ClockChip } from "./clock-chip.ts";
import { NOTHING_FOLLOWED, readFollowing, sourcesText, type TimeFollowing } from "./time-servers.ts";

export interface ClockPlaces {
  /** Control's and root's: `set` is asked, `done` is answered. */
  readonly asked: string;
  /** Control writes, chrony reads. */
  readonly servers: string;
  /** What chrony says, written now and then by a unit with chrony's user. */
  readonly told: string;
  /** sysfs. */
  readonly sys: string;
}

export const CLOCK_PLACES: ClockPlaces = Object.freeze({
  asked: "/run/niac-clock",
  servers: "/run/niac-time",
  told: "/run/niac-time-told/chrony",
  sys: "/sys",
});

export interface ClockSystem {
  /** Resolves once the clock is set, with what became of the chip. Rejects with an UnavailableError. */
  set(seconds: number): Promise<"set" | "none" | "failed">;
  /** These servers are asked from now on, and no other. Throws the system's errors. */
  follow(servers: readonly string[]): void;
  following(): TimeFollowing;
  /** To what the clock was last set since the start, milliseconds since the epoch; null: it was not. */
  setTo(): number | null;
  /** Null: this board has none. */
  chip(): ClockChip | null;
}

/** Milliseconds. */
const PATIENCE = 30_000;
const LOOK = 100;

export function openClock(places: ClockPlaces = CLOCK_PLACES, patience = PATIENCE): ClockSystem {
  const asked = join(places.asked, "set");
  const done = join(places.asked, "done");
  const sources = join(places.servers, "plant.sources");
  return {
    async set(seconds) {
      rmSync(done, { force: true });
      // The folder's group is root's: it needs no right over others' files to read this.
      put(asked, `${seconds}\n`, 0o640);
      const until = performance.now() + patience;
      let answer: Answer | null = null;
      while (answer === null && performance.now() < until) {
        await pause(LOOK);
        answer = readAnswer(read(done));
      }
      if (answer === null || answer.seconds !== seconds || answer.outcome === "refused")
        throw new UnavailableError(
          "clock-not-set",
          `the clock was not set: ${answer === null ? "nobody answered" : "the box refused it"}`,
          "Look at what niac-clock-set says in the journal.",
        );
      return answer.outcome;
    },
    follow(servers) {
      const text = sourcesText(servers);
      // chrony is told of each change of the file.
      if (read(sources) !== text) put(sources, text, 0o644);
    },
    following: () => {
      const text = read(places.told);
      return text === "" ? NOTHING_FOLLOWED : readFollowing(text);
    },
    setTo() {
      const answer = readAnswer(read(done));
      return answer === null || answer.outcome === "refused" ? null : answer.seconds * 1_000;
    },
    chip: () => readClockChip(places.sys),
  };
}

interface Answer {
  readonly seconds: number;
  readonly outcome: "set" | "none" | "failed" | "refused";
}

/** `1780000000 set`. Null: nobody has answered. */
function readAnswer(text: string): Answer | null {
  const [, seconds, outcome] = /^(\d{10}) (set|none|failed|refused)\n$/.exec(text) ?? [];
  if (seconds === undefined) return null;
  return outcome === "set" || outcome === "none" || outcome === "failed" || outcome === "refused"
    ? { seconds: Number(seconds), outcome }
    : null;
}

/** Whole, and with this mode whatever the process' mask. */
function put(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode });
  chmodSync(`${path}.new`, mode);
  renameSync(`${path}.new`, path);
}

/** Empty where it cannot be read. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
