/**
 * From the certificate a client showed in its TLS handshake to an Identity, or to a Refusal with its reason. Everything
 * here is pure but for `peerOf`, which asks a socket. OpenSSL verifies the chain; this folder judges what the leaf says.
 *
 * The leaf's DER is read by niac's own strict reader (x509/) rather than by a library or by Node's getters:
 * Node shows neither the role extension nor a name's exact bytes; @peculiar/asn1-x509 takes trailing bytes, indefinite
 * lengths and lengths in more than one form, and some ten times as long (0.07 against 0.7 ms a certificate on one core of a
 * server). Nothing is cached: a kept outcome would outlive the certificate's validity, and what it saves is little beside
 * the handshake.
 */
export { withoutCertificate, type Identity, type Refusal } from "./identity.ts";
export { peerOf, type Peer } from "./peer.ts";
export { readIdentity, type IdentityOptions } from "./read.ts";
export { isRefusal, REFUSAL_CODES, type RefusalCode } from "./refusal.ts";
export type { TenantAuthority } from "./tenant.ts";
