import { UsageError } from "../base/index.ts";
import { checkUntil, type Subject } from "../authority/index.ts";
import type { Label } from "./enrol-requests.ts";

/** A common name's bound (RFC 5280, appendix A.1), in characters. */
const MAX_USER = 64;
const MAX_NAME = 255;

/** `issued`: what certificates are issued for. Throws a UsageError where no certificate could be issued for this subject, before a code for it is given to anybody. */
export function checkSubject(subject: Subject, issued: readonly Label[], now: number): void {
  const { tier, tenant, user, device, groups, role } = subject;
  checkName(user, "user", MAX_USER);
  checkName(device, "device", MAX_NAME);
  for (const group of groups) checkName(group, "group", MAX_NAME);
  if (role !== null) checkName(role, "role", MAX_NAME);
  if (!issued.some((label) => label.tier === tier && label.tenant === tenant)) {
    const whose = tenant === null ? "" : ` of the tenant ${tenant}`;
    throw new UsageError(
      "no-authority",
      `no authority issues ${tier} certificates${whose}`,
      "See `niac authority show`; a tenant is added with `niac authority tenant`.",
    );
  }
  checkUntil(subject, now);
}

function checkName(name: string, what: string, most: number): void {
  const length = Array.from(name).length;
  const clean = name === name.trim() && name === name.normalize("NFC") && !/\p{C}|\p{Zl}|\p{Zp}/u.test(name);
  if (length >= 1 && length <= most && clean) return;
  throw new UsageError(
    `${what}-name`,
    `${JSON.stringify(name)} cannot be the name of a ${what}: it takes 1 to ${most} visible characters`,
    "Leave out control characters, and blanks at either end.",
  );
}
