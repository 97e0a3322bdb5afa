/** Answers of an OCSP responder (RFC 6960), as a good one makes them and as a bad one does. */
import { createHash, type KeyObject } from "node:crypto";
import { der, makeExtension, signed } from "../../../src/x509/index.ts";
import { NOW, type TestCa } from "./outside-bed.ts";

export interface AnswerWish {
  readonly ca: TestCa;
  readonly serialNumber: string;
  readonly status?: "good" | "revoked" | "unknown";
  readonly revokedAt?: number;
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | null;
  readonly producedAt?: number;
  readonly nonce?: Uint8Array | null;
  /** How often it says it. */
  readonly times?: number;
  /** A delegated responder; without, the authority answers itself. */
  readonly by?: { readonly key: KeyObject; readonly certificate: Buffer; readonly keyBits: Uint8Array };
}

const SHA1 = "1.3.14.3.2.26";
const BASIC = "1.3.6.1.5.5.7.48.1.1";
const NONCE = "1.3.6.1.5.5.7.48.1.2";

export function makeAnswer(wish: AnswerWish): Buffer {
  const { ca, producedAt = NOW, nonce = null, times = 1, by } = wish;
  const { issuerKey } = ca.naming;
  const responder = tagged(0xa2, der.octetString(sha1(by?.keyBits ?? issuerKey)));
  const data = der.sequence(
    responder,
    generalized(producedAt),
    der.sequence(...Array.from({ length: times }, () => single(wish))),
    ...(nonce === null
      ? []
      : [tagged(0xa1, der.sequence(makeExtension(NONCE, der.octetString(nonce), false)))]),
  );
  const whole = signed(data, by?.key ?? ca.key);
  const basic = by === undefined ? whole : withCertificate(whole, by.certificate);
  const body = der.sequence(der.oid(BASIC), der.octetString(basic));
  return der.sequence(Buffer.of(0x0a, 1, 0), tagged(0xa0, body));
}

/** tryLater is 3, unauthorized 6. */
export function makeFailure(status: number): Buffer {
  return der.sequence(Buffer.of(0x0a, 1, status));
}

/** The nonce of a request made by niac: the 32 bytes after its header. */
export function nonceOf(request: Buffer): Buffer {
  const at = request.indexOf(Buffer.from("2b0601050507300102", "hex"));
  return request.subarray(request.length - 32, at < 0 ? 0 : undefined);
}

function single({
  ca,
  serialNumber,
  status = "good",
  revokedAt = NOW,
  thisUpdate = NOW,
  nextUpdate = NOW + 600_000,
}: AnswerWish): Buffer {
  const { issuerName, issuerKey } = ca.naming;
  const certId = der.sequence(
    der.sequence(der.oid(SHA1), der.nullValue()),
    der.octetString(sha1(issuerName)),
    der.octetString(sha1(issuerKey)),
    der.integer(Buffer.from(serialNumber, "hex")),
  );
  const said = {
    good: Buffer.of(0x80, 0),
    revoked: tagged(0xa1, Buffer.concat([generalized(revokedAt), tagged(0xa0, Buffer.of(0x0a, 1, 1))])),
    unknown: Buffer.of(0x82, 0),
  }[status];
  const next = nextUpdate === null ? [] : [tagged(0xa0, generalized(nextUpdate))];
  return der.sequence(certId, said, generalized(thisUpdate), ...next);
}

function withCertificate(whole: Buffer, certificate: Buffer): Buffer {
  const header = whole[1]! < 0x80 ? 2 : 2 + (whole[1]! & 0x7f);
  return der.sequence(whole.subarray(header), tagged(0xa0, der.sequence(certificate)));
}

function tagged(tag: number, content: Uint8Array): Buffer {
  return der.tagged(tag, content);
}

function generalized(time: number): Buffer {
  const text = `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-T:]/g, "")}Z`;
  return tagged(0x18, Buffer.from(text));
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash("sha1").update(bytes).digest();
}
