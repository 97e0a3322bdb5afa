import { Command } from "commander";
import { UsageError, byteText, durationText, table } from "../base/index.ts";
import { sessionsEnd, sessionsList, type SessionView } from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

/** `niac sessions`: who is connected to what, now. */
export function sessionsCommand(around: Surroundings): Command {
  return new Command("sessions").description("who is connected to which machine now").action(async () => {
    const sessions = await ask(around, sessionsList, null);
    if (sessions.length === 0) {
      around.print("No sessions.");
      return;
    }
    const now = Date.now();
    const rows = sessions.map((session) => [
      session.id,
      who(session),
      session.source,
      `${session.destination ?? session.machine}/${session.service}`,
      session.grants.join(", "),
      durationText(now - session.started),
      durationText(now - session.lastActive),
      String(session.reads),
      String(session.writes),
      String(session.denials),
      `${byteText(session.bytesIn)} / ${byteText(session.bytesOut)}`,
    ]);
    const header = [
      "SESSION",
      "WHO",
      "FROM",
      "MACHINE",
      "GRANTS",
      "SINCE",
      "IDLE",
      "READS",
      "WRITES",
      "DENIED",
      "IN / OUT",
    ];
    for (const line of table(header, rows)) around.print(line);
  });
}

function who({ kind, user, device }: SessionView): string {
  if (kind === "source") return `${user}, no certificate`;
  if (kind === "machine") return `${user}, machine`;
  return device === null ? user : `${user} (${device})`;
}

/** `niac end <session>`. */
export function endCommand(around: Surroundings): Command {
  return new Command("end")
    .description("end one session at once")
    .argument("<session>", "as `niac sessions` shows it")
    .option("--reason <text>", "for the record", "no reason given")
    .action(async (session: string, options: { reason: string }) => {
      const { ended } = await ask(around, sessionsEnd, { session, reason: options.reason, by: around.user });
      if (!ended)
        throw new UsageError("no-session", `there is no session ${session}`, "See `niac sessions`.");
      around.print(`session ${session} is ended`);
    });
}
