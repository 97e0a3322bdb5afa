import type { AuditLog } from "../audit/index.ts";
import { PostureIntake } from "../enrolment/index.ts";
import { reportedDevice, standingOf } from "../policy/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { TrustKeeper } from "./trust.ts";

/** Takes laptops' and management systems' reports, and answers how a device stands by the same rule that the gateway judges sessions by. */
export function postureIntake(trust: TrustKeeper, audit: AuditLog, site: () => Snapshot): PostureIntake {
  return new PostureIntake({
    site,
    issuers: () => trust.state().authorities,
    deviceOf: (identity) =>
      reportedDevice(identity, new Map(trust.state().authorities.map((one) => [one.name, one]))),
    held: (of) => trust.reportOf(of),
    keep: (report) => trust.report(report),
    standings(of) {
      const signers = new Set(site().trust.postureSigners.map(({ name }) => name));
      return site().postures.map((one) => ({
        name: one.name,
        ...standingOf(one, of, trust.state().postures, signers),
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
