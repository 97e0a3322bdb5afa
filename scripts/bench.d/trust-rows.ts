/** Rows of trust: handshakes by algorithm, access taken away, revocation lists, certificates issued. */
import type { Row } from "./results.ts";

export const TRUST = "trust.";

export const HANDSHAKES = {
  p256: "P-256, X25519",
  p256Hybrid: "P-256, X25519MLKEM768",
  mlDsa65Hybrid: "ML-DSA-65, X25519MLKEM768",
} as const;
export type HandshakeKind = keyof typeof HANDSHAKES;

/** Ways to take access away from somebody whose sessions are open. */
export const CUTS = { revoke: "Revoked", lock: "Locked" } as const;
export type Cut = keyof typeof CUTS;
export const CUT_NAMES: readonly Cut[] = ["revoke", "lock"];
export const OPEN_SESSIONS = [1, 1_000, 5_000] as const;

/** Serial numbers on a revocation list. */
export const LISTED = [10, 1_000_000] as const;

export const ALGORITHMS = { p256: "P-256", mlDsa65: "ML-DSA-65" } as const;
export type Algorithm = keyof typeof ALGORITHMS;
export const ALGORITHM_NAMES: readonly Algorithm[] = ["p256", "mlDsa65"];

const more = { better: "higher", unit: "1/s", compared: false } as const;
const less = { better: "lower", compared: false } as const;

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

export const TRUST_ROWS: readonly Row[] = [
  ...Object.entries(HANDSHAKES).map(([kind, words]): Row => {
    const label = `CPU per session, ${words}`;
    return { ...less, compared: true, path: `trust.handshake.${kind}.cpu`, label, unit: "µs" };
  }),
  ...Object.entries(HANDSHAKES).map(([kind, words]): Row => {
    const label = `Sessions opened, ${words}`;
    return { ...more, compared: true, path: `trust.handshake.${kind}.perSecond`, label };
  }),
  ...CUT_NAMES.flatMap((cut): Row[] => [
    ...OPEN_SESSIONS.flatMap((n): Row[] => {
      const about = `${CUTS[cut]} with ${counted(n, "session")} open`;
      const row = (name: string, words: string): Row => {
        return {
          ...less,
          path: `trust.${cut}.sessions${n}.${name}`,
          label: `${about}: ${words}`,
          unit: "ms",
        };
      };
      return [
        row("lastClosed", "the last one closed"),
        row("answered", "answer to the command"),
        row("clientCpu", "the clients' own CPU for it"),
        row("other", "slowest read of another session"),
      ];
    }),
    {
      ...less,
      path: `trust.${cut}.typed`,
      label: `${CUTS[cut]} by the command as typed: its one session closed`,
      unit: "ms",
    },
  ]),
  ...LISTED.flatMap((n): Row[] => {
    const row = (name: string, words: string, unit: string): Row => {
      const label = `List of ${counted(n, "serial")}: ${words}`;
      return { ...less, path: `trust.list.serials${n}.${name}`, label, unit };
    };
    return [
      row("check", "a certificate looked up", "µs"),
      row("memory", "memory of its process", "MiB"),
      row("disk", "its database", "MiB"),
      row("taken", "from its bytes to in force", "ms"),
      row("stall", "longest wait of others meanwhile", "ms"),
      row("peak", "memory of its process meanwhile, at most", "MiB"),
    ];
  }),
  ...ALGORITHM_NAMES.flatMap((algorithm): Row[] => {
    const words = ALGORITHMS[algorithm];
    const at = (name: string): string => `trust.issue.${algorithm}.${name}`;
    return [
      { ...more, path: at("issue"), label: `Certificates issued, ${words}` },
      { ...more, path: at("renew"), label: `Certificates renewed, ${words}` },
      { ...more, path: at("enroll"), label: `Enrolled over EST, ${words}` },
      { ...more, path: at("reenroll"), label: `Renewed over EST, ${words}` },
      { ...less, path: at("enrollCpu"), label: `CPU per enrolment over EST, ${words}`, unit: "µs" },
      { ...less, path: at("reenrollCpu"), label: `CPU per renewal over EST, ${words}`, unit: "µs" },
    ];
  }),
];
