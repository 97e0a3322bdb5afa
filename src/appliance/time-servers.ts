/** What chrony says of the time servers that it asks, and what it is told to ask. Pure. */
import { isIPv4 } from "node:net";

export interface AskedServer {
  readonly address: string;
  readonly state: "followed" | "answers" | "disbelieved" | "silent";
  /** Milliseconds by which its time is ahead of the clock's; null: it does not answer. */
  readonly ahead: number | null;
}

export interface TimeFollowing {
  /** By which the clock goes, and when it was put right by it last, milliseconds since the epoch; null: by none since the start. */
  readonly followed: { readonly address: string; readonly at: number } | null;
  readonly servers: readonly AskedServer[];
}

export const NOTHING_FOLLOWED: TimeFollowing = Object.freeze({ followed: null, servers: [] });

/** Milliseconds by which the clock may be wrong and still be put right by servers, after the first updates: maxchange in chrony.conf. */
const MOST_CHANGE = 3_600_000;
/** Servers that are shown; a site document names a handful. */
const MOST_SERVERS = 20;

/** `chronyc -c -n -m tracking sources`: a line of the clock, 14 fields, then a line a server, 10 fields. What is neither says nothing. */
export function readFollowing(text: string): TimeFollowing {
  const rows = text.split("\n").map((line) => line.trim().split(","));
  const tracking = rows.find((row) => row.length === 14);
  const servers = rows.filter((row) => row.length === 10).flatMap(serverOf);
  return {
    followed: tracking === undefined ? null : followedOf(tracking),
    servers: servers.slice(0, MOST_SERVERS),
  };
}

/** Reference, address, stratum, time of the last update, ..., leap status. */
function followedOf(row: readonly string[]): TimeFollowing["followed"] {
  const [, address = "", , time = "", status] = [...row.slice(0, 4), row[13] ?? ""];
  const at = Number(time) * 1_000;
  if (status === "Not synchronised" || !isIPv4(address) || !(at > 0)) return null;
  return { address, at: Math.round(at) };
}

/** Mode, state, address, stratum, poll, reach (octal), last answer, offset with later corrections, offset as measured, error. */
function serverOf(row: readonly string[]): AskedServer[] {
  const [, state = "", address = "", , , reach = "", , offset = ""] = row;
  if (!isIPv4(address)) return [];
  // chrony's offset is the clock's against the server.
  const ahead = -Number(offset) * 1_000;
  if (!/^[1-7]\d*$/.test(reach) || !Number.isFinite(ahead))
    return [{ address, state: "silent", ahead: null }];
  return [{ address, state: stateOf(state, Math.abs(ahead)), ahead: ahead === 0 ? 0 : ahead }];
}

/**
 * `*` selected, `+` with it, `-` and `~` judged and left out, `x` contradicted by the others, `?` not judged yet. One that is selected and
 * far off is not followed (maxchange).
 */
function stateOf(state: string, apart: number): AskedServer["state"] {
  if (state === "?") return "answers";
  if (state === "x" || apart > MOST_CHANGE) return "disbelieved";
  return state === "*" || state === "+" ? "followed" : "answers";
}

/** For chrony's `sourcedir`: a server a line. It takes nothing there but sources. */
export function sourcesText(servers: readonly string[]): string {
  const lines = servers.filter((address) => isIPv4(address)).map((address) => `server ${address} iburst\n`);
  return ["# From the site document; control writes it anew with each that is applied.\n", ...lines].join("");
}
