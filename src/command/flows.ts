import { Command } from "commander";
import { byteText, durationText, printable, table, type Channel } from "../base/index.ts";
import { flowsList, type ForwardView, type RefusedView, type SessionView } from "../link/index.ts";
import { withControl, type Surroundings } from "./context.ts";

/** Milliseconds between two looks. */
const PAUSE = 1_000;
/** Refused kinds shown, the latest first. */
const MOST_REFUSED = 20;
const CLEAR = "\u001B[H\u001B[2J";

/** `niac flows`: everything that passes the box now, and what was refused in the last hour. */
export function flowsCommand(around: Surroundings): Command {
  return new Command("flows")
    .description("everything that passes the box now, and what was refused in the last hour")
    .option("-w, --watch", "look again every second, until Ctrl-C")
    .action((options: { watch?: boolean }) =>
      withControl(around, async (channel) => {
        if (!options.watch) {
          for (const line of await look(channel)) around.print(line);
          return;
        }
        const stopped = around.interrupted().then(() => true);
        for (;;) {
          around.print(CLEAR + (await look(channel)).join("\n"));
          if (await Promise.race([stopped, pause()])) return;
        }
      }),
    );
}

function pause(): Promise<boolean> {
  return new Promise((resolve) => setTimeout(() => resolve(false), PAUSE));
}

async function look(channel: Channel): Promise<string[]> {
  const { passing, sessions, unauthenticated } = await channel.call(flowsList, null);
  return flowLines({ ...passing, sessions, unauthenticated }, Date.now());
}

export interface Flows {
  readonly forwarded: readonly ForwardView[];
  readonly refused: readonly RefusedView[];
  readonly sessions: readonly SessionView[];
  readonly unauthenticated: number;
}

/** `now`: milliseconds since the epoch. */
export function flowLines({ forwarded, refused, sessions, unauthenticated }: Flows, now: number): string[] {
  const passing = [
    ...sessions.map((one) => [
      decision(one),
      who(one),
      one.source,
      place(one),
      `${byteText(one.bytesIn)} / ${byteText(one.bytesOut)}`,
      durationText(now - one.started),
    ]),
    ...forwarded.map((one) => [
      "forwarded",
      one.machine,
      one.source,
      `${one.destination}, ${one.target} ${one.transport}`,
      `${byteText(one.bytesOut)} / ${byteText(one.bytesIn)}`,
      one.state.toLowerCase(),
    ]),
  ];
  const lines =
    passing.length === 0
      ? ["Nothing passes."]
      : table(["DECISION", "WHO", "FROM", "TO", "BYTES TO / FROM", "SINCE OR STATE"], passing);
  if (refused.length > 0) {
    const shown = refused
      .slice(0, MOST_REFUSED)
      .map((one) => [
        "refused",
        one.machine ?? "",
        one.source,
        one.target,
        one.what,
        String(one.packets),
        `${durationText(now - one.last)} ago`,
      ]);
    lines.push("", ...table(["DECISION", "MACHINE", "FROM", "TO", "WHAT", "PACKETS", "LAST"], shown));
    const more = refused.length - MOST_REFUSED;
    if (more > 0) lines.push(`and ${more} more; see niac audit query kind=flow.refused`);
  }
  if (unauthenticated > 0) {
    const one = unauthenticated === 1;
    lines.push(
      "",
      printable(
        `${unauthenticated} ${one ? "source" : "sources"} may still connect without a certificate: see niac status`,
      ),
    );
  }
  return lines;
}

function decision({ kind, destination, service }: SessionView): string {
  if (kind === "source") return "no certificate";
  if (destination === null) return "session";
  return service === "tcp" ? "wrapped" : "inspected";
}

function who({ user, device }: SessionView): string {
  return device === null ? user : `${user} (${device})`;
}

function place({ destination, machine, service }: SessionView): string {
  return `${destination ?? machine}/${service}`;
}
