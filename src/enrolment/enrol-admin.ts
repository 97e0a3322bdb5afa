import type { Channel } from "../base/index.ts";
import * as link from "../link/index.ts";
import type { EnrolService } from "./enrol-service.ts";

/** Answers what `niac enrolment` asks. `service` rejects with an UnavailableError where there is no authority. */
export function serveEnrolment(channel: Channel, service: () => Promise<EnrolService>): void {
  channel.handle(link.enrolmentCode, async ({ subject, valid, by }) =>
    (await service()).makeCode(subject, valid, by),
  );
  channel.handle(link.enrolmentCodes, async () => (await service()).openCodes());
  channel.handle(link.enrolmentWithdraw, async ({ id, by }) => {
    await (await service()).withdraw(id, by);
    return null;
  });
  channel.handle(link.enrolmentRequests, async () => (await service()).waiting());
  channel.handle(link.enrolmentApprove, async ({ id, subject, by }) => {
    const { serialNumber, notAfter } = await (await service()).approve(id, subject, by);
    return { serialNumber, notAfter };
  });
  channel.handle(link.enrolmentDeny, async ({ id, reason, by }) => {
    await (await service()).deny(id, reason, by);
    return null;
  });
  channel.handle(link.enrolmentWaiting, async ({ allowed, by }) => ({
    allowed: await (await service()).setWaiting(allowed, by),
  }));
}
