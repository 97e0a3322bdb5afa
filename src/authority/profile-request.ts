/**
 * What a request may ask for; pure. The names of a certificate are decided by whoever lets somebody enrol. A request may leave them out
 * or say the same; what it asks beyond them is refused and never dropped in silence, so that nobody takes a certificate for more than
 * it is.
 */
import { PeerError, printable } from "../base/index.ts";
import type { OwnNames } from "../link/index.ts";
import {
  COMMON_NAME,
  DerReader,
  EXTENSION,
  isAuthority,
  keyUsagesOf,
  MIN_RSA_BITS,
  nameText,
  only,
  PURPOSE,
  purposesOf,
  TAG,
  textOf,
  utf8Of,
  type CertificationRequest,
} from "../x509/index.ts";
import type { Subject } from "./contract.ts";
import { canonicalUri, laptopUris } from "./profile.ts";

/** What a certificate is going to say. */
interface Wanted {
  /** For the reader: "alice's certificate". */
  readonly whose: string;
  readonly commonName: string;
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly purposes: readonly string[];
  readonly role: string | null;
}

/** Throws a PeerError: `weak-key`, `algorithm-refused`, `name-refused` or `extension-refused`. */
export function checkLaptopRequest(request: CertificationRequest, subject: Subject): void {
  check(request, {
    whose: `the certificate of ${printable(subject.user)}`,
    commonName: subject.user,
    uris: laptopUris(subject),
    dns: [],
    ip: [],
    purposes: [PURPOSE.clientAuth],
    role: subject.role,
  });
}

/** Throws as checkLaptopRequest does. */
export function checkApplianceRequest(request: CertificationRequest, names: OwnNames): void {
  check(request, {
    whose: `the certificate of the appliance ${printable(names.commonName)}`,
    ...names,
    uris: [],
    purposes: [PURPOSE.serverAuth, PURPOSE.clientAuth],
    role: null,
  });
}

function check(request: CertificationRequest, wanted: Wanted): void {
  checkKey(request);
  checkSubject(request, wanted);
  checkAltNames(request, wanted);
  checkExtensions(request, wanted);
}

function checkKey({ keyAlgorithm, rsaBits }: CertificationRequest): void {
  const advice =
    "Make the key anew: niac enroll, or openssl ecparam -name prime256v1 -genkey (P-384, Ed25519, ML-DSA-65 and RSA of 2048 bits and more are taken as well).";
  if (keyAlgorithm === "other") {
    throw new PeerError("algorithm-refused", "the request's key is of a kind that is not taken here", advice);
  }
  if (keyAlgorithm !== "rsa" || (rsaBits ?? 0) >= MIN_RSA_BITS) return;
  throw new PeerError(
    "weak-key",
    `the request's RSA key has ${rsaBits} bits, at least ${MIN_RSA_BITS} are asked for`,
    advice,
  );
}

/** Empty, or the common name alone. */
function checkSubject({ subject }: CertificationRequest, { whose, commonName }: Wanted): void {
  const attributes = subject.flat();
  const [first] = attributes;
  if (first === undefined) return;
  if (attributes.length > 1 || first.type !== COMMON_NAME) {
    throw refusedName(
      `the request asks for the subject ${nameText(subject)}, and ${whose} has a common name alone`,
      commonName,
    );
  }
  if (textOf(first.value) === commonName) return;
  throw refusedName(
    `the request is another's: it asks for ${nameText(subject)}, and this is to be ${whose}`,
    commonName,
  );
}

function checkAltNames({ altNames }: CertificationRequest, wanted: Wanted): void {
  const asked = [
    ...altNames.uri.filter((uri) => !wanted.uris.includes(canonicalUri(uri))).map((uri) => `URI ${uri}`),
    ...altNames.dns.filter((name) => !wanted.dns.includes(name)).map((name) => `DNS name ${name}`),
    ...altNames.ip.filter((address) => !wanted.ip.includes(address)).map((address) => `address ${address}`),
    ...altNames.email.map((address) => `e-mail address ${address}`),
    ...(altNames.others > 0 ? ["a name of another kind"] : []),
  ];
  const [first] = asked;
  if (first === undefined) return;
  throw refusedName(
    `the request asks for a forbidden name: ${printable(first).slice(0, 300)} is not to be in ${wanted.whose}`,
    wanted.commonName,
  );
}

/** Microsoft's way to ask for extensions, beside the standard one. */
const OTHER_EXTENSION_REQUEST = "1.3.6.1.4.1.311.2.1.14";
/** They give no right: what stands in the certificate is made anew. */
const HARMLESS: readonly string[] = [EXTENSION.subjectAltName, EXTENSION.subjectKeyIdentifier];

function checkExtensions(request: CertificationRequest, { whose, purposes, role }: Wanted): void {
  const refuse = (what: string): PeerError =>
    new PeerError(
      "extension-refused",
      `the request asks for ${what}, which ${whose} does not have`,
      "Leave the extension out of the request; the authority adds what belongs there.",
    );
  if (request.attributes.some(({ oid }) => oid === OTHER_EXTENSION_REQUEST)) {
    throw refuse(`extensions in the attribute ${OTHER_EXTENSION_REQUEST}`);
  }
  const asked = { extensions: request.extensionRequests };
  for (const { oid, value } of request.extensionRequests) {
    if (HARMLESS.includes(oid)) continue;
    if (oid === EXTENSION.basicConstraints) {
      if (isAuthority(asked)) throw refuse("the rights of an authority (CA:TRUE)");
    } else if (oid === EXTENSION.keyUsage) {
      const other = keyUsagesOf(asked)?.find((usage) => usage !== "digitalSignature");
      if (other !== undefined) throw refuse(`the key usage ${other}`);
    } else if (oid === EXTENSION.extendedKeyUsage) {
      const other = purposesOf(asked).find((purpose) => !purposes.includes(purpose));
      if (other !== undefined) throw refuse(`the extended key usage ${purposeText(other)}`);
    } else if (oid === EXTENSION.role) {
      if (role === null || roleIn(value) !== role) throw refuse("another role (MODBUS/TCP Security)");
    } else throw refuse(`the extension ${oid}`);
  }
}

function roleIn(value: Uint8Array): string | null {
  const reader = new DerReader(value);
  const { tag, whole } = reader.any("the role");
  reader.finish("the role");
  return tag === TAG.utf8String ? utf8Of(only(whole, TAG.utf8String, "the role")) : null;
}

function purposeText(oid: string): string {
  return Object.entries(PURPOSE).find(([, known]) => known === oid)?.[0] ?? oid;
}

function refusedName(what: string, commonName: string): PeerError {
  return new PeerError(
    "name-refused",
    what,
    `Ask with an empty subject or with CN=${printable(commonName)} alone, and for no other names; the authority adds what belongs there.`,
  );
}
