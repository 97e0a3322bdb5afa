/** What came to the box on its boot partition, on record; and a file there that was not taken is a fault of the box. */
import type { AuditLog } from "../audit/index.ts";
import type { Channel, Clock } from "../base/index.ts";
import { preparedReport } from "../link/index.ts";
import { boxDraft } from "./panel-words.ts";

const FILES = { settings: "niac.conf", site: "site.yaml" } as const;
/** Characters of the reason that are kept. */
const LONGEST = 600;

export interface PreparedParts {
  readonly audit: Pick<AuditLog, "append">;
  readonly clock: Clock;
  /** See Box.fault. */
  fault(source: string, why: string | null, advice: string): void;
}

export function servePrepared(channel: Channel, parts: PreparedParts): void {
  const { audit, clock } = parts;
  channel.handle(preparedReport, async ({ what, outcome, text }) => {
    const file = FILES[what];
    const why = text
      .trim()
      .replaceAll(/\s*\n\s*/g, "; ")
      .slice(0, LONGEST);
    const refused = `${file} on the boot partition was not taken: ${why}`;
    const advice = `Put it right and start the box again, or take it away; ${file}.error beside it says the same.`;
    parts.fault(file, outcome === "refused" ? refused : null, advice);
    const reason = outcome === "refused" ? refused : `${file} was taken from the boot partition`;
    await audit.append([boxDraft(clock.now(), "prepared", reason, { what, outcome })], "now");
    return null;
  });
}
