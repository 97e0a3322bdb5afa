/** Results as a table for people and as JSON for programs. Pure. */
import { CABLE } from "./cable-rows.ts";
import { NIAC, type Comparison, type Results, type Spread, type Surroundings } from "./results.ts";
import { TRUST } from "./trust-rows.ts";

export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size >= 1_000) return Math.round(value).toLocaleString("en");
  return value.toFixed(size >= 100 ? 0 : 1);
}

export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}

export function table(results: Results): string {
  const { surroundings } = results;
  const parts = (["", CABLE, TRUST] as const).flatMap((beginning) => {
    const comparisons = results.comparisons.filter((comparison) => partOf(comparison) === beginning);
    if (comparisons.length === 0) return [];
    return [`${tableOf(comparisons)}\n${NOTES[beginning](comparisons, surroundings)}`];
  });
  return `${describe(surroundings)}\n${parts.join("\n\n")}`;
}

type Part = "" | typeof CABLE | typeof TRUST;

/** Of the table of its own, the beginning of its rows. */
function partOf({ row }: Comparison): Part {
  return ([CABLE, TRUST] as const).find((beginning) => row.path.startsWith(beginning)) ?? "";
}

const NOTES: Readonly<Record<Part, (comparisons: readonly Comparison[], of: Surroundings) => string>> = {
  "": notes,
  [CABLE]: cableNotes,
  [TRUST]: trustNotes,
};

function tableOf(comparisons: readonly Comparison[]): string {
  const names = proxyNames(comparisons);
  const header = ["", "unit", ...names, "best peer", "ratio", "of all rounds"];
  const lines = comparisons.map((comparison) => [
    comparison.row.label,
    comparison.row.unit,
    ...names.map((name) => formatValue(comparison.proxies.get(name)?.median ?? Number.NaN)),
    comparison.bestPeer ?? "",
    comparison.ratio === null ? "" : formatRatio(comparison.ratio.median),
    rangeOf(comparison),
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...lines].map((line) => (line[column] ?? "").length)),
  );
  const leftColumns = new Set([0, 1, names.length + 2]);
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return leftColumns.has(column) ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [format(header), rule, ...lines.map(format)].join("\n");
}

/** Of the ratio; where there is none, of niac's own values. */
function rangeOf({ ratio, proxies, rounds }: Comparison): string {
  if (ratio !== null) return `${formatRatio(ratio.min)} .. ${formatRatio(ratio.max)}`;
  const own = proxies.get(NIAC);
  return own === undefined || rounds === 1 ? "" : `${formatValue(own.min)} .. ${formatValue(own.max)}`;
}

/** The machine and the versions, one line each. */
export function surroundingLines(s: Surroundings): string[] {
  return [
    `${s.date.slice(0, 16).replace("T", " ")} UTC${s.quick ? ", quick" : ""}`,
    `${s.processor}, ${s.cores} cores, Linux ${s.kernel}, Node ${s.node}`,
    Object.values(s.versions).join("; "),
  ];
}

function describe(s: Surroundings): string {
  const pinned =
    s.proxyCore === s.loadCore
      ? `Everything shares core ${s.proxyCore}: there is only one, so round trips say little.`
      : `Proxy on core ${s.proxyCore}; laptops and machine on core ${s.loadCore}.`;
  return [...surroundingLines(s), pinned, ...s.leftOut.map((what) => `Left out: ${what}`), ""].join("\n");
}

function mostRounds(comparisons: readonly Comparison[]): number {
  return Math.max(...comparisons.map(({ rounds }) => rounds));
}

function notes(comparisons: readonly Comparison[], { idleSessions }: Surroundings): string {
  return `
A transaction is a read of 10 registers; a write is one register. Values are medians over up to ${mostRounds(comparisons)} rounds.
Ratio: niac over the same round's best peer, median of the rounds; below 1 niac needs less. Memory counts every
process of a proxy (PSS), with ${idleSessions.toLocaleString("en")} sessions idle. niac is all of its processes, with policy,
inspection and audit on; the peers end mutual TLS and pass bytes on. Everyone: TLS 1.3, P-256, X25519 (post-quantum:
X25519MLKEM768, which the peers' OpenSSL may not have), AES-128-GCM, client certificate verified, nothing resumed.
A peer that uses little of its core wakes up more often for each transaction than one that is busy.`;
}

function cableNotes(comparisons: readonly Comparison[], { proxyCore, loadCore }: Surroundings): string {
  return `
The box in the cable, between network namespaces; medians over up to ${mostRounds(comparisons)} rounds. forwarding: the same namespaces, with a
box that only forwards, without ruleset and connection table. calm: niac itself, without the flood. Ratio: niac over that
of the same round. niac's processes, the machine and the receivers are on core ${proxyCore}, senders on core ${loadCore}: the kernel does the box'
part of forwarding there, for it is done on behalf of the sender. Under a flood, the flood has core ${loadCore} for itself, and all
else shares core ${proxyCore}. Virtual ports carry TCP in pieces of up to 64 KB, so that the cost
of a packet shows with UDP alone, whose packets carry 64 bytes. A Modbus read is one of 10 registers, by a client without TLS.`;
}

function trustNotes(comparisons: readonly Comparison[], { proxyCore, loadCore }: Surroundings): string {
  return `
Trust; medians over up to ${mostRounds(comparisons)} rounds, and where there is nobody to compare with, their span. Sessions opened: a full handshake with
certificates of that kind on both sides, one read, the end, eight at a time; niac asks whether the certificate is revoked and records
the session, node is the same Node with nothing but TLS and a pipe, nginx has neither ML-KEM nor ML-DSA. Revoked, locked: from the
call to control until the last client's socket is closed; all sessions but one are one person's, whose clients share one process and
core, and that one, another person's, reads on from a process of its own. As typed: with the start of Node. List: the part of control
that holds other authorities' lists, in a process of its own; half of the certificates looked up are on it. Issued, renewed: control's
part alone, eight at a time, each on record; over EST: a TLS connection each, six at a time, and CPU is all of niac's.
niac on core ${proxyCore}, laptops on core ${loadCore}.`;
}

export function proxyNames(comparisons: readonly Comparison[]): string[] {
  const names = new Set(comparisons.flatMap((comparison) => [...comparison.proxies.keys()]));
  return [...names].toSorted((a, b) => Number(b === NIAC) - Number(a === NIAC));
}

type Json = { [key: string]: Json } | string | number | boolean | null | readonly Json[];

/** One object: each row at its path, with every proxy's values; `ratioToBestPeer` where peers have the row. */
export function toJson(results: Results): Json {
  const { versions, ...surroundings } = results.surroundings;
  const root: { [key: string]: Json } = { surroundings: { ...surroundings, versions: { ...versions } } };
  for (const comparison of results.comparisons) {
    const path = comparison.row.path.split(".");
    const leaf = path.pop() ?? "";
    let at = root;
    for (const step of path) {
      const next: { [key: string]: Json } = {};
      const known = at[step];
      const inner = isObject(known) ? known : next;
      at[step] = inner;
      at = inner;
    }
    at[leaf] = leafOf(comparison);
  }
  return root;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function leafOf(comparison: Comparison): Json {
  const { row, ratio } = comparison;
  return {
    unit: row.unit,
    rounds: comparison.rounds,
    proxies: Object.fromEntries([...comparison.proxies].map(([name, value]) => [name, rounded(value)])),
    ...(row.compared
      ? {
          bestPeer: comparison.bestPeer,
          ratioToBestPeer: ratio === null ? null : significant(ratio.median),
          ratioMin: ratio === null ? null : significant(ratio.min),
          ratioMax: ratio === null ? null : significant(ratio.max),
        }
      : {}),
  };
}

function rounded(value: Spread): Json {
  return { median: significant(value.median), min: significant(value.min), max: significant(value.max) };
}

/** Four digits: more would claim what was not measured. */
function significant(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : null;
}
