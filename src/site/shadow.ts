import type { Reporter } from "./findings.ts";
import type { Snapshot } from "./snapshot.ts";
export function checkShadows(_s: Pick<Snapshot, "grants" | "forbids">, _r: Reporter): void {}
