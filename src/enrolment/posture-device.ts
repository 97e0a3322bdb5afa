/** Whose device a report is about: two authorities may each know a laptop-7, and neither speaks for the other's. */
import { printable } from "../base/index.ts";
import type { IssuingAuthority, PostureReport } from "../link/index.ts";
import { refusal } from "./posture-refusal.ts";

export type PostureDevice = Pick<PostureReport, "device" | "authority" | "tenant">;

/** Those who issue clients' certificates, as control lists them; empty: those of the settings' files. */
export type PostureIssuers = readonly Pick<IssuingAuthority, "name" | "tenant" | "outside">[];

/**
 * The device that a management system names: one of the plant's own authorities and of no tenant, unless it says otherwise. Throws an
 * HttpRefusal where nobody issues certificates for what it says, since such a report would count for nobody.
 */
export function managedDevice(said: PostureDevice, issuers: PostureIssuers): PostureDevice {
  return said.authority === null ? ofThePlant(said, issuers) : ofAnother(said, said.authority, issuers);
}

function ofAnother({ device, tenant }: PostureDevice, name: string, issuers: PostureIssuers): PostureDevice {
  const issuer = issuers.find((one) => one.outside && one.name === name);
  if (issuer === undefined) {
    throw refusal("posture-authority", 403, {
      message: `the site document names no authority ${printable(name)}`,
      recorded: "a posture report is about a device of an authority that the site document does not name",
      advice:
        "Write authority as the site document has it under trust: authorities; of a device of the plant's own authorities, write none.",
    });
  }
  if (tenant !== null && tenant !== issuer.tenant) {
    const words = issuer.tenant === null ? "no tenant" : `tenant ${issuer.tenant}`;
    throw refusal("posture-tenant", 403, {
      message: `authority ${name} stands for ${words}, and the report says tenant ${printable(tenant)}`,
      recorded: `a posture report is about a device of authority ${name} and of a tenant that it does not stand for`,
      advice: "Leave tenant out where authority is there: the site document says the authority's tenant.",
    });
  }
  return { device, authority: name, tenant: issuer.tenant };
}

function ofThePlant({ device, tenant }: PostureDevice, issuers: PostureIssuers): PostureDevice {
  const own = issuers.filter(({ outside }) => !outside);
  const known = issuers.length === 0 ? tenant === null : own.some((one) => one.tenant === tenant);
  if (known) return { device, authority: null, tenant };
  throw refusal("posture-tenant", 403, {
    message:
      tenant === null
        ? "the plant has no authority of its own here, so the report must say whose device it is about"
        : `none of the plant's own authorities is for tenant ${printable(tenant)}`,
    recorded:
      tenant === null
        ? "a posture report does not say which authority its device is of"
        : "a posture report is about a device of a tenant that no authority of the plant's own is for",
    advice: "Say in authority which one of the site document's issued the device's certificate.",
  });
}
