import type { AuditLog } from "../audit/index.ts";
import { PostureIntake } from "../authority/index.ts";
import type { PostureReport } from "../link/index.ts";
import { standingOf } from "../policy/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { TrustKeeper } from "./trust.ts";

/** Takes laptops' and management systems' reports, and answers how a device stands by the same rule that the gateway judges sessions by. */
export function postureIntake(trust: TrustKeeper, audit: AuditLog, site: () => Snapshot): PostureIntake {
  const reports = (): readonly PostureReport[] => trust.state().postures;
  return new PostureIntake({
    site,
    held: (device, by) => reports().find((one) => one.device === device && one.by === by) ?? null,
    keep: (report) => trust.report(report),
    standings(device) {
      const signers = new Set(site().trust.postureSigners.map(({ name }) => name));
      return site().postures.map((one) => ({
        name: one.name,
        ...standingOf(one, device, reports(), signers),
      }));
    },
    check: (certificate, groups) => trust.check(certificate, groups),
    append: (drafts) => audit.append(drafts, "now"),
    now() {
      const { now, floor } = trust.clock();
      return Math.max(now, floor);
    },
  });
}
