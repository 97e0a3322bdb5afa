/** From how the clock stands to what a person is told of it. Pure. */
import type { ClockChip, TimeFollowing } from "../appliance/index.ts";
import { durationText } from "../base/index.ts";
import type { TimeSource } from "../link/index.ts";

export interface ClockStanding {
  readonly following: TimeFollowing;
  /** Milliseconds since the epoch, and null: it was not set by hand since the start. */
  readonly setTo: number | null;
  /** Null: there is none. */
  readonly chip: ClockChip | null;
}

/** The last word counts: a server's, which follows what a hand has set; then the hand's; then the chip's at the start. */
export function sourceOf({ following, setTo, chip }: ClockStanding): TimeSource {
  const { followed } = following;
  if (followed !== null) return { from: "server", ...followed };
  if (setTo !== null) return { from: "hand", at: setTo };
  return { from: chip?.setTheClock === true ? "chip" : "nowhere" };
}

export interface ClockFault {
  readonly why: string | null;
  readonly advice: string;
}

/** The servers are asked, and the clock goes by none of them, though one answers. */
export function serversFault({ servers }: TimeFollowing): ClockFault {
  const none = { why: null, advice: "" };
  if (servers.some(({ state }) => state === "followed")) return none;
  const wrong = servers.find(({ state }) => state === "disbelieved");
  if (wrong === undefined) return none;
  const { address, ahead } = wrong;
  const off = durationText(Math.abs(ahead ?? 0));
  return {
    why: `time server ${address} says a time ${off} ${(ahead ?? 0) < 0 ? "before" : "ahead of"} the clock's, and is not believed`,
    advice:
      "Find out which is right. If it is the server, set the clock with niac clock set; else mend the server.",
  };
}

/** Nothing has told the box what time it is. A chip that lost the time is a fault of its own. */
export function unsetFault(standing: ClockStanding): ClockFault {
  const unset = sourceOf(standing).from === "nowhere" && standing.chip?.keepsTime !== false;
  return {
    why: unset
      ? "nothing has set the clock since the start: certificates and hours are judged by a wrong one"
      : null,
    advice: "Set it with niac clock set, or name timeServers in the site document.",
  };
}

/** `by`: milliseconds, less than zero where it was set back. */
export function jumpWords(
  by: number,
  now: number,
  source: TimeSource,
): { readonly text: string; readonly detail: Readonly<Record<string, string | number>> } {
  const way = by > 0 ? "ahead" : "back";
  const who = source.from === "server" ? `time server ${source.address}` : "nobody that niac knows";
  const text = `the clock was set ${way} by ${durationText(Math.abs(by))}, to ${new Date(now).toISOString()}, by ${who}`;
  return {
    text,
    detail: {
      by: source.from === "server" ? source.address : "unknown",
      from: Math.round(now - by),
      to: Math.round(now),
    },
  };
}
