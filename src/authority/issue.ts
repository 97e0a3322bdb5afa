/** Signing certificates: judged by profile, read back as identity/ will read it, and on record before anybody has it. */
import type { AuditLog, RecordDraft, RecordIdentity } from "../audit/index.ts";
import { BugError, PeerError, printable, UnavailableError, UsageError, type Clock } from "../base/index.ts";
import { isRefusal, readIdentity } from "../identity/index.ts";
import type { OwnNames } from "../link/index.ts";
import {
  keyIdOf,
  makeCertificate,
  makeName,
  MAX_CERTIFICATE_LENGTH,
  randomSerial,
  readCertificate,
  type CertificationRequest,
} from "../x509/index.ts";
import type { AuthorityKeys } from "./ca-keys.ts";
import { fingerprintOf } from "./ca.ts";
import type { Issued, Subject } from "./contract.ts";
import { checkApplianceRequest, checkLaptopRequest } from "./profile-request.ts";
import {
  applianceExtensions,
  checkUntil,
  laptopExtensions,
  laptopName,
  validityOf,
  type Issuing,
  type Validity,
} from "./profile.ts";
import type { Authority, AuthorityStore, Plant, StoredCertificate } from "./store.ts";

export interface AuthorityParts {
  readonly store: AuthorityStore;
  readonly keys: AuthorityKeys;
  readonly audit: Pick<AuditLog, "append">;
  readonly clock: Clock;
}

/** A laptop's. Throws as Issuer.issue does. */
export async function issueLaptop(
  parts: AuthorityParts,
  request: CertificationRequest,
  asked: Subject,
  by: string,
  renews: string | null,
): Promise<Issued> {
  const { store, clock } = parts;
  const { plant } = store;
  const subject = { ...asked, groups: [...new Set(asked.groups)].toSorted() };
  const authority = issuingOf(store, subject);
  const now = clock.now();
  checkUntil(subject, now);
  const extensions = laptopExtensions(subject, request.publicKeyInfo, issuingBy(plant, authority));
  checkLaptopRequest(request, subject);
  const validity = validityOf(now, plant.lifetimes[subject.tier], [subject.until, authority.notAfter]);
  const issued = await sign(parts, authority, {
    name: laptopName(subject),
    publicKey: request.publicKeyInfo,
    extensions,
    validity,
  });
  checkReadBack(issued.certificate, subject, now);
  const entry = entryOf(issued, authority, now, by, subject);
  const record: RecordDraft = {
    time: now,
    kind: "trust",
    id: `issue-${issued.serialNumber}`,
    identity: identityOf(entry),
    reason: `certificate ${renews === null ? "issued" : "renewed"} by "${authority.name}", let by ${by}`,
    detail: {
      authority: authority.name,
      until: timeText(issued.notAfter),
      ...(renews === null ? {} : { renews }),
    },
  };
  await commit(parts, record, entry, () => checkRenewed(store, renews, now));
  return issued;
}

/** The appliance's own: what the request asks for beyond `names` is refused. `life` in milliseconds. */
export async function issueAppliance(
  parts: AuthorityParts,
  authority: Authority,
  request: CertificationRequest,
  names: OwnNames,
  life: number,
  by: string,
): Promise<Issued> {
  const { store, clock } = parts;
  checkApplianceRequest(request, names);
  const now = clock.now();
  const issued = await sign(parts, authority, {
    name: makeName([["CN", names.commonName]]),
    publicKey: request.publicKeyInfo,
    extensions: applianceExtensions(names, request.publicKeyInfo, issuingBy(store.plant, authority)),
    validity: validityOf(now, life, [authority.notAfter]),
  });
  const { certificate, serialNumber, notAfter } = issued;
  if (certificate.length > MAX_CERTIFICATE_LENGTH) {
    throw new UsageError(
      "names-too-many",
      `the appliance's certificate would have ${certificate.length} bytes, ${MAX_CERTIFICATE_LENGTH} are taken of one at most`,
      "Name fewer machines in the site document of this appliance.",
    );
  }
  const entry = entryOf(issued, authority, now, by, null, names.commonName);
  const record: RecordDraft = {
    time: now,
    kind: "trust",
    id: `issue-${serialNumber}`,
    reason: `the appliance's own certificate, ${names.commonName}, issued by "${authority.name}" for ${by}`,
    detail: {
      authority: authority.name,
      serialNumber,
      fingerprint: entry.fingerprint,
      until: timeText(notAfter),
    },
  };
  await commit(parts, record, entry, () => {});
  return issued;
}

/** For records: what the certificate says. */
export function identityOf({ subject, user, serial, fingerprint }: StoredCertificate): RecordIdentity {
  return {
    user,
    device: subject?.device ?? null,
    groups: subject?.groups ?? [],
    role: subject?.role ?? null,
    tier: subject?.tier ?? null,
    tenant: subject?.tenant ?? null,
    serialNumber: serial,
    fingerprint,
  };
}

function issuingOf(store: AuthorityStore, { tier, tenant }: Subject): Authority {
  const current = store.authorities.filter(
    (each) => each.role === "issuing" && each.state === "current" && each.tenant === tenant,
  );
  const authority = current.find((each) => each.tier === tier && store.stands(each));
  if (authority !== undefined) return authority;
  const of = tenant === null ? "" : ` of the tenant ${printable(tenant)}`;
  if (tenant !== null && current.length === 0) {
    throw new UsageError(
      "no-tenant",
      `there is no authority${of}`,
      `Make them first: niac authority tenant ${printable(tenant)}`,
    );
  }
  throw new UnavailableError(
    "no-issuer",
    `no authority issues certificates of the tier ${tier}${of} now: the last one was revoked or retired`,
    `Make a new one: niac authority rotate --tier ${tier}`,
  );
}

function issuingBy({ crlUrl }: Plant, { id, certificate }: Authority): Issuing {
  const { publicKeyInfo } = readCertificate(certificate);
  return { keyId: keyIdOf(publicKeyInfo), crl: listUrl(crlUrl, id) };
}

/** Where an authority's list is. */
export function listUrl(crlUrl: string | null, id: number): string | null {
  return crlUrl === null ? null : `${crlUrl}/${id}.crl`;
}

interface Leaf {
  readonly name: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
  readonly validity: Validity;
}

async function sign(parts: AuthorityParts, authority: Authority, leaf: Leaf): Promise<Issued> {
  const { store, keys } = parts;
  const key = await keys.of(authority);
  const serialNumber = randomSerial();
  const { name: subject, publicKey, extensions, validity } = leaf;
  const issuer = readCertificate(authority.certificate).subjectDer;
  const certificate = makeCertificate(
    { serialNumber, issuer, subject, ...validity, publicKey, extensions },
    key,
  );
  return {
    certificate,
    chain: [authority, ...store.above(authority)].map((each) => each.certificate),
    serialNumber: serialNumber.toString("hex"),
    ...validity,
  };
}

/** That the gateway will take it for exactly the one it is for. */
function checkReadBack(certificate: Buffer, subject: Subject, now: number): void {
  const read = readIdentity({ leaf: certificate, authorized: true, authorizationError: null }, now);
  if (isRefusal(read)) {
    throw new UsageError(
      "subject-refused",
      `a certificate of ${printable(subject.user)} on ${printable(subject.device)} would be refused at every door: ${read.reason}`,
      "Choose names that can be seen and compared without doubt.",
    );
  }
  const { user, device, groups, role, tier } = read;
  const wanted = [subject.user, subject.device, subject.groups, subject.role, subject.tier];
  if (JSON.stringify([user, device, groups, role, tier]) !== JSON.stringify(wanted)) {
    throw new BugError(
      "read-back",
      `the certificate of ${printable(subject.user)} does not say what it was to`,
    );
  }
}

function entryOf(
  { certificate, serialNumber, notBefore, notAfter }: Issued,
  authority: Authority,
  now: number,
  by: string,
  subject: Subject | null,
  name = "",
): StoredCertificate {
  return {
    serial: serialNumber,
    fingerprint: fingerprintOf(certificate),
    authority: authority.id,
    kind: subject === null ? "appliance" : "laptop",
    user: subject?.user ?? name,
    device: subject?.device ?? "",
    subject,
    notBefore,
    notAfter,
    issuedAt: now,
    issuedBy: by,
    revokedAt: null,
    revokedBy: null,
    reason: null,
  };
}

/** Record and row in one transaction, in which it is looked once more whether there may be such a certificate. */
async function commit(
  { store, audit }: AuthorityParts,
  record: RecordDraft,
  entry: StoredCertificate,
  check: () => void,
): Promise<void> {
  await audit.append([record], "now", () => {
    const state = store.stateNow(entry.authority);
    if (state !== "current" && state !== "retiring") {
      throw new UnavailableError(
        "authority-ended",
        "the authority was revoked or retired while it made the certificate, which nobody has got",
        "Ask again: the next one is made by the authority that issues now.",
      );
    }
    check();
    store.putCertificate(entry);
  });
}

function checkRenewed(store: AuthorityStore, renews: string | null, now: number): void {
  if (renews === null) return;
  const before = store.byFingerprint(renews);
  if (before !== null && before.revokedAt === null && before.notAfter >= now) return;
  throw new PeerError(
    "renews-revoked",
    "the certificate that was to be renewed is revoked or past its end",
    "Ask the plant admin why, and enrol again.",
  );
}

/** For people: `2027-02-20T18:53:44Z`. */
export function timeText(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}
