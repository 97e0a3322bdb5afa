/**
 * What passes between the appliance and a site's own authority, judged; pure. That authority signs requests as they are (RFC 7030 has
 * no way to ask for a name in another's stead), so a request must already say what its holder may say, and no more.
 */
import { PeerError } from "../base/index.ts";
import type { OwnNames } from "../link/index.ts";
import {
  COMMON_NAME,
  EXTENSION,
  isAuthority,
  nameText,
  PURPOSE,
  purposesOf,
  altNamesText,
  textOf,
  type Certificate,
  type CertificationRequest,
  type Extension,
} from "../x509/index.ts";
import type { Subject } from "./contract.ts";

const CLAIM = /^urn:niac:([a-z]+):(.*)$/is;

/** Throws a PeerError `name-refused` for a request of the appliance's own that asks for other names than these. */
export function checkOwnRequest(request: CertificationRequest, names: OwnNames): void {
  const wanted = [...names.dns.map((name) => `DNS:${name}`), ...names.ip.map((name) => `IP:${name}`)];
  const asked = altNamesText(request);
  const other = [
    ...asked.filter((name) => !wanted.includes(name)),
    ...wanted.filter((name) => !asked.includes(name)),
  ];
  if (other.length > 0) throw refused(`it differs in ${other.join(", ")} from what the appliance is called`);
  const name = onlyName(request);
  if (name !== names.commonName)
    throw refused(`its name is ${quoted(name)} instead of ${quoted(names.commonName)}`);
  checkExtensions(request.extensionRequests);
}

/** Throws a PeerError `name-refused` for a request of a laptop's that says anything else than what was decided for it. */
export function checkLaptopRequest(request: CertificationRequest, subject: Subject): void {
  const name = onlyName(request);
  const advice = "Enrol with `niac enroll`, whose request bears the user and the device.";
  if (name !== subject.user)
    throw refused(`its name is ${quoted(name)}, and the certificate is for ${subject.user}`, advice);
  const { dns, ip, uri, email, others } = request.altNames;
  if (dns.length + ip.length + email.length + others > 0)
    throw refused("it asks for host names, addresses or other names that are no laptop's", advice);
  const claims = uri.map((text) => claimOf(text));
  const devices = claims.filter(({ kind }) => kind === "device").map(({ value }) => value);
  if (devices.length !== 1 || devices[0] !== subject.device)
    throw refused(
      `its device is ${quoted(devices.join(", "))}, and the certificate is for ${subject.device}`,
      advice,
    );
  for (const { kind, value } of claims) {
    const good =
      kind === "device" ||
      (kind === "group" && subject.groups.includes(value)) ||
      (kind === "tier" && value === subject.tier);
    if (!good) throw refused(`it asks for the ${kind} ${quoted(value)}, which nobody gave`);
  }
  checkExtensions(request.extensionRequests);
}

/** Throws a PeerError `upstream-answer` where a certificate does not say what its request asked for, or can do more. */
export function checkAnswer(request: CertificationRequest, certificate: Certificate, server: boolean): void {
  const [asked, given] = [nameText(request.subject), nameText(certificate.subject)];
  if (asked !== given) throw wrong(`is for ${quoted(given)} instead of ${quoted(asked)}`);
  const [wanted, there] = [altNamesText(request), altNamesText(certificate)];
  const more = there.filter((name) => !wanted.includes(name));
  const less = wanted.filter((name) => !there.includes(name));
  if (more.length > 0) throw wrong(`also bears ${more.join(", ")}, which nobody asked for`);
  if (less.length > 0) throw wrong(`lacks ${less.join(", ")}`);
  if (isAuthority(certificate)) throw wrong("is that of an authority");
  if (certificate.extensions.some(({ oid }) => oid === EXTENSION.role))
    throw wrong("gives a Modbus role that nobody asked for");
  const purposes = purposesOf(certificate);
  const needed = server ? PURPOSE.serverAuth : PURPOSE.clientAuth;
  if (purposes.length > 0 && !purposes.includes(needed))
    throw wrong(`is not one for ${server ? "servers" : "clients"} (extended key usage)`);
}

function claimOf(uri: string): { readonly kind: string; readonly value: string } {
  const [, kind = "", encoded = ""] = CLAIM.exec(uri) ?? [];
  try {
    return {
      kind: kind === "" ? "name" : kind.toLowerCase(),
      value: kind === "" ? uri : decodeURIComponent(encoded),
    };
  } catch (error) {
    if (error instanceof URIError) throw refused(`the name ${quoted(uri)} cannot be read`);
    throw error;
  }
}

/** Beside names, which are judged apart, a request asks for nothing: what a certificate may be used for is not the asker's to say. */
function checkExtensions(extensions: readonly Extension[]): void {
  const other = extensions.find(({ oid }) => oid !== EXTENSION.subjectAltName);
  if (other) throw refused(`it asks for the extension ${other.oid}`);
}

function onlyName(request: CertificationRequest): string {
  const attributes = request.subject.flat();
  const [name] = attributes;
  const text = name?.type === COMMON_NAME && attributes.length === 1 ? textOf(name.value) : null;
  if (text === null) throw refused(`its subject ${quoted(nameText(request.subject))} is not one common name`);
  return text;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function refused(why: string, advice?: string): PeerError {
  return new PeerError(
    "name-refused",
    `the certificate request is not passed on to the site's authority: ${why}`,
    advice,
  );
}

function wrong(why: string): PeerError {
  return new PeerError(
    "upstream-answer",
    `the certificate that the site's authority issued ${why}; it is not used`,
    "The authority's profile for this appliance must leave subject and alternative names as they are asked for.",
  );
}
