import { Command, InvalidArgumentError } from "commander";
import { durationText, printable } from "../base/index.ts";
import {
  clockAccept,
  clockSet,
  clockShow,
  type ClockView,
  type TimeServer,
  type TimeSource,
} from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

/** `niac clock`: what it says, whether it is believed, where its time comes from; `niac clock set`. */
export function clockCommand(around: Surroundings): Command {
  const clock = new Command("clock")
    .description(
      "the clock, where its time comes from, and the latest time known, by which certificates are judged where the clock stands before it",
    )
    .option("--accept", "the clock is right, and the latest time known was wrong; on record")
    .action(async ({ accept }: { accept?: boolean }) => {
      const shown =
        accept === true
          ? await ask(around, clockAccept, { by: around.user })
          : await ask(around, clockShow, null);
      for (const line of clockLines(shown)) around.print(line);
    });
  clock
    .command("set")
    .description("set the clock, and the chip that keeps it without power; on record")
    .argument("<time>", "with its zone, e.g. 2026-10-01T18:00:30+02:00", timeOf)
    .action(async (time: number) => {
      const { clock: shown, chip } = await ask(around, clockSet, { time, by: around.user });
      around.print(`The clock is set${CHIP[chip]}.`);
      for (const line of clockLines(shown)) around.print(line);
      if (chip === "failed") around.exit(1);
    });
  return clock;
}

const CHIP = {
  set: ", and the clock chip with it",
  none: "; there is no clock chip, so that the time is lost with the power",
  failed: ", but the clock chip could not be written: the time is lost with the power",
} as const;

export function clockLines({ now, floor, source, servers }: ClockView): string[] {
  const known =
    floor === 0 ? "none until the clock has run steadily for ten minutes" : new Date(floor).toISOString();
  const behind = floor - now;
  return [
    `clock        ${new Date(now).toISOString()}`,
    `from         ${sourceText(source)}`,
    ...servers.map((server) => printable(`time server  ${server.address} ${serverText(server)}`)),
    `latest known ${known}`,
    ...(behind <= 0
      ? []
      : [
          `The clock stands ${durationText(behind)} before the latest time known, by which certificates are judged until it is past.`,
          `Correct the clock${source.from === "computer" ? "" : " with `niac clock set`"}; or, where it is right, \`niac clock --accept\`.`,
        ]),
  ];
}

function sourceText(source: TimeSource): string {
  switch (source.from) {
    case "server":
      return printable(`time server ${source.address}, last at ${new Date(source.at).toISOString()}`);
    case "hand":
      return `niac clock set, to ${new Date(source.at).toISOString()}`;
    case "chip":
      return "the clock chip, at the start";
    case "nowhere":
      return "nowhere: it was not set since the start; niac clock set";
    case "computer":
      return "this computer, which looks after its clock itself";
  }
}

/** Milliseconds from which a difference is told in words and not in its number. */
const MUCH = 10_000;

function serverText({ state, ahead }: TimeServer): string {
  if (ahead === null) return WORDS[state];
  const apart = Math.abs(ahead);
  const off =
    apart < MUCH
      ? `${apart.toFixed(apart < 10 ? 1 : 0)} ms`
      : `${durationText(apart)} ${ahead > 0 ? "ahead of" : "before"} the clock`;
  return `${WORDS[state]}, ${off}`;
}

const WORDS = {
  followed: "is followed",
  answers: "answers",
  disbelieved: "is not believed",
  silent: "does not answer",
} as const;

/** Milliseconds since the epoch of a date and time with its zone, to the second. */
export function timeOf(text: string): number {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/;
  const time = form.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError("it is a date and time with its zone, e.g. 2026-10-01T18:00:30Z.");
  return time;
}
