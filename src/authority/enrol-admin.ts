import type { Channel } from "../base/index.ts";
import * as link from "../link/index.ts";
import type { EnrolService } from "./enrol-service.ts";

/** Answers what `niac enrolment` asks. `service` throws an UnavailableError where there is no authority. */
export function serveEnrolment(channel: Channel, service: () => EnrolService): void {
  channel.handle(link.enrolmentCode, ({ subject, valid, by }) => service().makeCode(subject, valid, by));
  channel.handle(link.enrolmentCodes, () => service().openCodes());
  channel.handle(link.enrolmentWithdraw, async ({ id, by }) => {
    await service().withdraw(id, by);
    return null;
  });
  channel.handle(link.enrolmentRequests, () => service().waiting());
  channel.handle(link.enrolmentApprove, async ({ id, subject, by }) => {
    const { serialNumber, notAfter } = await service().approve(id, subject, by);
    return { serialNumber, notAfter };
  });
  channel.handle(link.enrolmentDeny, async ({ id, reason, by }) => {
    await service().deny(id, reason, by);
    return null;
  });
  channel.handle(link.enrolmentWaiting, async ({ allowed, by }) => ({
    allowed: await service().setWaiting(allowed, by),
  }));
}
