/** The command line. */
import { parseArgs } from "node:util";
import { ROWS } from "./results.ts";

export interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly profile: boolean;
  readonly svg: string | null;
  /** The beginning of a row's path, or "" for all. */
  readonly only: string;
  readonly rounds: number | null;
  /** Names of the proxies to measure, or null for all. */
  readonly proxies: readonly string[] | null;
}

export const HELP = `usage: scripts/bench [--quick] [--json] [--svg FILE] [--only ROW] [--rounds N] [--proxies A,B] [--profile]

Speed and memory of niac, with policy, inspection and audit on, beside nginx, haproxy and stunnel, which end mutual TLS
and inspect nothing. Each on one core of its own, before the same Modbus TCP machine. As root also the box in the cable,
in network namespaces of its own: forwarding and Modbus reads beside a box that merely forwards, rulesets, floods. Trust:
handshakes by algorithm, access taken away, revocation lists, certificates issued.

  --quick         fewer rounds and smaller amounts: three minutes, four at most; without it about twenty-five
  --json          results as one line of JSON, the last on standard output
  --svg FILE      also draw them (scripts/bench.d/bench.svg is the one in the repository)
  --only ROW      only rows whose path begins so, e.g. cpuPerTransaction.sessions32, cable.flood or trust
  --rounds N      rounds at most, 1 to 20
  --proxies A,B   only these: niac, nginx, haproxy, stunnel; of trust also node
  --profile       instead: where niac's CPU goes with reads at 32 sessions, by process and the 25 costliest functions;
                  with --only cpuPerHandshake or cpuPerWrite, with those

Rows: ${ROWS.map((row) => row.path).join("\n      ")}
`;

/** Throws with a message for the caller; null when help is asked for. */
export function readOptions(argv: readonly string[], known: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      svg: { type: "string" },
      only: { type: "string", default: "" },
      rounds: { type: "string" },
      proxies: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  if (!ROWS.some((row) => row.path.startsWith(values.only)))
    throw new Error(`--only ${values.only}: no row begins so`);
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 20)) {
    throw new Error(`--rounds ${values.rounds}: it takes a number from 1 to 20`);
  }
  const proxies = values.proxies?.split(",") ?? null;
  const stranger = proxies?.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new Error(`--proxies ${stranger}: known are ${known.join(", ")}`);
  return {
    quick: values.quick,
    json: values.json,
    profile: values.profile,
    svg: values.svg ?? null,
    only: values.only,
    rounds,
    proxies,
  };
}
