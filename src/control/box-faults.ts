/** From how the parts of the box stand to what a person must be told of them. Pure. */
import type { Health } from "../appliance/index.ts";
import { durationText } from "../base/index.ts";
import type { OwnCertificateState } from "../link/index.ts";

/** Degrees Celsius from which a Raspberry Pi slows down. */
const HOT = 80;
/** The part of the storage that is to stay free. */
const LEAST_FREE = 0.05;

export interface BoxStanding {
  /** Long enough to be no restart. */
  readonly gatewayAway: boolean;
  readonly netdAway: boolean;
  /** Why the site document's is not in force; null: it is, or netd is away. */
  readonly ruleset: string | null;
  /** netd's, for the reader. */
  readonly network: readonly string[];
  readonly certificate: OwnCertificateState | null;
  readonly audit: "writing" | "full" | "stopped" | "closed";
  /** Milliseconds. */
  readonly clockBehind: number;
  readonly health: Health;
  /** Why the panel is not heard; null: it is, or there is to be none. */
  readonly panel: string | null;
}

export interface Judged {
  readonly source: string;
  readonly why: string | null;
  readonly advice: string;
}

function judged(source: string, wrong: boolean, why: string, advice: string): Judged {
  return { source, why: wrong ? why : null, advice };
}

export function faultsOf(standing: BoxStanding): Judged[] {
  const { gatewayAway, netdAway, ruleset, network, certificate, audit, clockBehind, health, panel } =
    standing;
  const { storage, temperature, clockChip } = health;
  return [
    judged(
      "gateway",
      gatewayAway,
      "the gateway does not run: nobody can connect",
      "It is started again by itself; where it stays away, restart the box.",
    ),
    judged(
      "netd",
      netdAway,
      "netd does not run: the ruleset in force stays, and what is refused is not on record",
      "It is started again by itself; where it stays away, restart the box.",
    ),
    judged(
      "ruleset",
      ruleset !== null,
      ruleset ?? "",
      "Look at what the site document says of the ports and machines; the ruleset of before stays in force.",
    ),
    judged(
      "network",
      network.length > 0,
      network.join("; "),
      "Look at both ports and their cables; then niac status.",
    ),
    judged(
      "certificate",
      certificate !== null && certificate.problem !== null,
      `the gateway's own certificate cannot be renewed: ${certificate?.problem ?? ""}`,
      "It is tried again by itself; see niac authority.",
    ),
    judged(
      "record",
      audit === "full",
      "the storage is full: nothing can be recorded, and so writes and new sessions are refused",
      "Make room on the storage.",
    ),
    judged(
      "clock",
      clockBehind > 0,
      `the clock stands ${durationText(clockBehind)} before the latest time known`,
      "Correct it with niac clock set; see niac clock.",
    ),
    judged(
      "clock chip",
      clockChip === "lost",
      "the clock chip lost the time while the power was off",
      "Replace its battery, then set the clock: niac clock set.",
    ),
    judged(
      "heat",
      temperature !== null && temperature >= HOT,
      `the box is hotter than ${HOT} °C, and slows down`,
      "Look at what heats the cabinet.",
    ),
    judged(
      "storage",
      storage !== null && storage.free < storage.size * LEAST_FREE,
      `less than ${LEAST_FREE * 100} % of the storage is free`,
      "Make room before nothing can be recorded any more.",
    ),
    judged(
      "panel",
      panel !== null,
      `the panel is not heard, so that its key switch allows nothing: ${panel ?? ""}`,
      "Look at its wires and at the board's device tree (hw/).",
    ),
  ];
}
