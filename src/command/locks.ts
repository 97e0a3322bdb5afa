import { Command, InvalidArgumentError } from "commander";
import { printable, table, UsageError } from "../base/index.ts";
import {
  LOCK_KINDS,
  locksAdd,
  locksList,
  locksRemove,
  type LockEffect,
  type LockKind,
  type LockView,
} from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

/** `niac lock <kind> <value>`: an immediate stop. */
export function lockCommand(around: Surroundings): Command {
  return new Command("lock")
    .description("stop at once whatever a certificate, user, device, group, machine, ... has open")
    .argument("<kind>", LOCK_KINDS.join(", "), kindOf)
    .argument("<value>", "its name; of a certificate the serial number or SHA-256 fingerprint")
    .requiredOption("--reason <text>", "shown to whoever is refused, and on record")
    .option("--for <time>", "how long, e.g. 30m, 8h, 7d; else until it is unlocked", spanOf)
    .option("--until <date>", "until when, e.g. 2026-10-01 or 2026-10-01T18:00Z", momentOf)
    .action(
      async (
        kind: LockKind,
        value: string,
        { reason, for: span, until }: { reason: string; for?: number; until?: number },
      ) => {
        if (span !== undefined && until !== undefined)
          throw new UsageError("lock-time", "--for and --until both say when it ends", "Give one of them.");
        const end = until ?? (span === undefined ? null : Date.now() + span);
        const { lock, effect } = await ask(around, locksAdd, {
          kind,
          value,
          reason,
          by: around.user,
          until: end,
        });
        around.print(printable(`lock ${lock.id} on ${kind} ${lock.value}${untilText(lock.until)}`));
        for (const line of effectLines(effect)) around.print(line);
        if (effect.problems.length > 0) around.exit(1);
      },
    );
}

/** `niac unlock 7`, or `niac unlock user alice`. */
export function unlockCommand(around: Surroundings): Command {
  return new Command("unlock")
    .description("end a lock")
    .argument("<lock>", "its number as `niac locks` shows it, or its kind")
    .argument("[value]", "after a kind: its value")
    .option("--reason <text>", "for the record", "")
    .action(async (first: string, value: string | undefined, { reason }: { reason: string }) => {
      const which = value === undefined ? { id: first } : { kind: kindOf(first), value };
      const { locks, effect } = await ask(around, locksRemove, { which, reason, by: around.user });
      for (const { id, kind, value: on } of locks)
        around.print(printable(`lock ${id} on ${kind} ${on} is ended`));
      for (const problem of effect.problems) around.print(printable(`problem: ${problem}`));
    });
}

/** `niac locks`. */
export function locksCommand(around: Surroundings): Command {
  return new Command("locks").description("locks in force, and those that ended lately").action(async () => {
    const locks = await ask(around, locksList, null);
    if (locks.length === 0) {
      around.print("No locks.");
      return;
    }
    const header = ["LOCK", "ON", "STATE", "SINCE", "BY", "REASON"];
    const rows = locks.map((lock) => [
      lock.id,
      printable(`${lock.kind} ${lock.value}`),
      stateText(lock),
      new Date(lock.since).toISOString(),
      printable(lock.by),
      printable(lock.reason),
    ]);
    for (const line of table(header, rows)) around.print(line);
  });
}

export function effectLines({ ended, milliseconds, problems }: LockEffect): string[] {
  const sessions = ended === 1 ? "1 session" : `${ended} sessions`;
  const done =
    ended === null
      ? "the gateway is away: it opens nothing new, and is told as soon as it attaches"
      : `in force; ended ${sessions} in ${Math.max(1, Math.round(milliseconds))} ms`;
  return [done, ...problems.map((problem) => printable(`problem: ${problem}`))];
}

export function stateText({ until, ended, endedBy }: LockView): string {
  if (ended === null) return `in force${untilText(until)}`;
  return endedBy === null ? "over" : printable(`ended by ${endedBy}`);
}

function untilText(until: number | null): string {
  return until === null ? "" : ` until ${new Date(until).toISOString()}`;
}

function kindOf(text: string): LockKind {
  const kind = LOCK_KINDS.find((one) => one === text);
  if (kind === undefined) throw new InvalidArgumentError(`it is one of ${LOCK_KINDS.join(", ")}.`);
  return kind;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `30m`, `8h`, `7d`. */
export function spanOf(text: string): number {
  const [, count, unit = ""] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  const length = UNITS[unit];
  if (count === undefined || length === undefined)
    throw new InvalidArgumentError("it is a number with m, h or d, e.g. 8h.");
  return Number(count) * length;
}

/** Milliseconds since the epoch of a date, or of a date and time with its zone. */
export function momentOf(text: string): number {
  const form = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/;
  const time = form.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError("it is a date, or a date and time with its zone, e.g. 2026-10-01T18:00Z.");
  return time;
}
