/** Whether an image on trial does what it is there for: decide and record. Pure. */

export interface Standing {
  readonly gateway: boolean;
  readonly netd: "absent" | "attached" | "away";
  /** Versions of the site document; 0: there is none. */
  readonly ruleset: { readonly wanted: number; readonly inForce: number };
  /** Why the authority's keys do not open; null: they do, or there are none. */
  readonly authority: string | null;
  readonly audit: "writing" | "full" | "stopped" | "closed";
  readonly failedUnits: readonly string[];
}

/** What stands against it, for the reader; empty: nothing. */
export function reasonsAgainst(standing: Standing): string[] {
  const { gateway, netd, ruleset, authority, audit, failedUnits } = standing;
  const { wanted, inForce } = ruleset;
  return [
    ...(gateway ? [] : ["the gateway is away"]),
    ...(netd === "away" ? ["netd is away"] : []),
    ...(netd === "attached" && wanted !== inForce
      ? [`the ruleset in force is of ${siteText(inForce)}, and not of ${siteText(wanted)}`]
      : []),
    ...(authority === null ? [] : [`the authority's keys do not open: ${authority}`]),
    // A full storage is not the new image's doing, but what cannot be recorded is not called good.
    ...(audit === "writing" ? [] : [`nothing can be recorded: the audit log is ${audit}`]),
    ...(failedUnits.length === 0 ? [] : [`failed: ${failedUnits.join(", ")}`]),
  ];
}

function siteText(version: number): string {
  return version === 0 ? "no site document" : `version ${version}`;
}
