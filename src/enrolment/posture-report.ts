/**
 * A posture report as it comes in: a JWS in compact serialization (RFC 7515, section 7.1), read strictly and judged by who signed it.
 *
 *     base64url(header) "." base64url(payload) "." base64url(signature)
 *
 *     header   { "typ": "niac-posture+jwt", "alg": ..., and one of  "x5t#S256": of the laptop's certificate | "kid": management system }
 *     payload  { "device": name, "iat": seconds, "facts": { "diskEncryption", "os": { "name", "version" }, "edr" } }
 *              of a management system also "authority" and "tenant": whose device it is
 *
 * What else stands in header or payload is not looked at, but for `crit`, which forbids that (RFC 7515, section 4.1.11).
 */
import { createHash, createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { compactVerify, errors } from "jose";
import * as z from "zod";
import { printable } from "../base/index.ts";
import type { Identity } from "../identity/index.ts";
import { OS_NAMES, type PostureFacts, type PostureReport } from "../link/index.ts";
import { managedDevice, type PostureDevice, type PostureIssuers } from "./posture-device.ts";
import { POSTURE_TYPE, postureAlgorithms } from "../est/index.ts";
import { FORMAT_ADVICE, malformed, refusal } from "./posture-refusal.ts";

/** Bytes. */
export const MAX_REPORT = 16_384;
/** Milliseconds that a signer's clock may be ahead, and that a report may be old. */
export const MAX_AHEAD = 60_000;
export const MAX_AGE = 7 * 86_400_000;
/** The signer's name where it is the laptop itself. */
export const LAPTOP = "laptop";
const LONGEST_NAME = 255;
const LONGEST_VERSION = 100;
/** Seconds since the epoch: the year 5138 is far enough. */
const LAST_TIME = 1e11;

export interface PostureSide {
  /** Whose certificate the connection showed, judged; null: it showed none. */
  readonly identity: Identity | null;
  /** DER of that certificate. */
  readonly certificate: Uint8Array | null;
  /** The device that it names, and whose; null: it names none. */
  readonly device: PostureDevice | null;
  /** Management systems of the site document: name, and PEM of the public key. */
  readonly signers: readonly { readonly name: string; readonly key: string }[];
  readonly issuers: PostureIssuers;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Rejects with an HttpRefusal of stage `posture`. Whether a newer report is known is not asked here. */
export async function readPostureReport(body: Uint8Array, side: PostureSide): Promise<PostureReport> {
  const jws = compactText(body);
  const signer = signerOf(headerOf(jws), side);
  const payload = payloadOf(await verified(jws, signer));
  const { iat, facts } = payload;
  const device =
    signer.device === null ? managedDevice(payload, side.issuers) : itself(signer.device, payload);
  const made = Math.floor(iat * 1_000);
  checkTime(made, side.now);
  return { ...device, by: signer.by, made, received: side.now, facts };
}

/** Whose it is, its certificate says, and not the report. */
function itself(own: PostureDevice, { device }: Payload): PostureDevice {
  if (device === own.device) return own;
  throw refusal("posture-device", 403, {
    message: `a laptop reports on itself alone: this one is ${own.device}, and the report is about ${printable(device)}`,
    advice: "Report on other devices by a management system that the site document names.",
    recorded: `a laptop reports on itself alone: ${own.device} reported on another device`,
  });
}

interface Signer {
  readonly by: string;
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
  /** The only one it may report on; null: any. */
  readonly device: PostureDevice | null;
}

function compactText(body: Uint8Array): string {
  if (body.length > MAX_REPORT) {
    throw refusal("posture-length", 413, {
      message: `the report has ${body.length} bytes, and ${MAX_REPORT} are taken`,
      advice: FORMAT_ADVICE,
    });
  }
  const text = Buffer.from(body).toString("latin1").trim();
  const parts = text.split(".");
  if (parts.length !== 3 || !parts.every(isBase64url))
    throw malformed("it is not three parts in base64url with full stops between them");
  return text;
}

/** No padding, no other alphabet, and no bits left over: what was signed has one spelling. */
function isBase64url(text: string): boolean {
  return text !== "" && Buffer.from(text, "base64url").toString("base64url") === text;
}

const headerSchema = z.looseObject({
  typ: z.literal(POSTURE_TYPE),
  alg: z.string(),
  kid: z.string().min(1).max(LONGEST_NAME).optional(),
  "x5t#S256": z.string().optional(),
  crit: z.undefined().optional(),
});
type Header = z.infer<typeof headerSchema>;

function headerOf(jws: string): Header {
  const parsed = headerSchema.safeParse(json(jws.split(".")[0] ?? "", "header"));
  if (parsed.success) return parsed.data;
  throw malformed(`its header is not one of a report: ${firstIssue(parsed.error)}`);
}

function signerOf(header: Header, side: PostureSide): Signer {
  const { kid, "x5t#S256": thumbprint } = header;
  if ((kid === undefined) === (thumbprint === undefined))
    throw malformed("its header has to name who signed, by one of kid and x5t#S256");
  return kid === undefined ? laptopOf(thumbprint ?? "", side) : managementOf(kid, side);
}

function laptopOf(thumbprint: string, { identity, certificate, device }: PostureSide): Signer {
  if (identity === null || certificate === null) {
    throw refusal("posture-no-certificate", 401, {
      message: "a laptop reports over a connection that shows its certificate, and this one shows none",
      advice: "Send it with the certificate and its key: niac posture --post.",
    });
  }
  if (createHash("sha256").update(certificate).digest("base64url") !== thumbprint) {
    throw refusal("posture-certificate", 403, {
      message: "the report names another certificate than the one that this connection shows",
      advice: "Sign it with the certificate in use; after a renewal that is the new one.",
    });
  }
  if (device === null) {
    throw refusal("posture-no-device", 403, {
      message: `the certificate of ${identity.user} names no device, so no report can be about it`,
      advice: "Enrol with a device's name: niac enroll --device.",
    });
  }
  const { publicKey } = new X509Certificate(certificate);
  return withKey(LAPTOP, publicKey, device, "the key of this certificate");
}

function managementOf(kid: string, { signers }: PostureSide): Signer {
  const known = signers.find(({ name }) => name === kid);
  if (known !== undefined) return withKey(kid, createPublicKey(known.key), null, `the key of ${kid}`);
  throw refusal("posture-signer", 403, {
    message: `the site document names no management system ${printable(kid)}`,
    recorded: "a posture report names a management system that the site document does not",
    advice: "Name it with its public key in the site document, under trust: postureSigners.",
  });
}

function withKey(by: string, key: KeyObject, device: PostureDevice | null, whose: string): Signer {
  const algorithms = postureAlgorithms(key);
  if (algorithms.length > 0) return { by, key, algorithms, device };
  throw refusal("posture-key", 403, {
    message: `${whose} is of a kind that signs no reports`,
    advice: "Keys on P-256 and P-384, Ed25519, ML-DSA-65 and RSA from 2,048 bits on do.",
  });
}

/** The payload. */
async function verified(jws: string, { key, algorithms, by }: Signer): Promise<Uint8Array> {
  try {
    // The key says which algorithms there are; the header only which of these.
    return (await compactVerify(jws, key, { algorithms: [...algorithms] })).payload;
  } catch (error) {
    // Whatever else jose says of it, the signature does not stand.
    if (error instanceof errors.JOSEAlgNotAllowed)
      throw malformed(`its alg is not ${algorithms.join(" or ")}, as the key of ${by} needs`);
    throw refusal("posture-signature", 403, {
      message: `the signature is not one of ${by === LAPTOP ? "this laptop's key" : by}`,
      advice: FORMAT_ADVICE,
    });
  }
}

const optional = <T extends z.ZodType>(schema: T) => schema.nullable().default(null);
const nameSchema = z.string().min(1).max(LONGEST_NAME).refine(isPlain, "has characters that cannot be shown");
const payloadSchema = z.looseObject({
  device: nameSchema,
  authority: optional(nameSchema),
  tenant: optional(nameSchema),
  iat: z.number().min(0).max(LAST_TIME),
  facts: z.looseObject({
    diskEncryption: optional(z.boolean()),
    os: optional(
      z.looseObject({
        name: z.enum(OS_NAMES),
        version: z.string().max(LONGEST_VERSION).refine(isPlain, "has characters that cannot be shown"),
      }),
    ),
    edr: optional(z.boolean()),
  }),
});

/** Names and versions go to records, screens and logs. */
function isPlain(text: string): boolean {
  return text === text.trim() && text.replaceAll("\\", "") === printable(text.replaceAll("\\", ""));
}

interface Payload extends PostureDevice {
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly facts: PostureFacts;
}

function payloadOf(bytes: Uint8Array): Payload {
  const parsed = payloadSchema.safeParse(json(Buffer.from(bytes).toString("base64url"), "payload"));
  if (!parsed.success) throw malformed(`its payload is not one of a report: ${firstIssue(parsed.error)}`);
  const { device, authority, tenant, iat, facts } = parsed.data;
  const { diskEncryption, edr, os } = facts;
  return {
    device,
    authority,
    tenant,
    iat,
    facts: { diskEncryption, os: os && { name: os.name, version: os.version }, edr },
  };
}

function checkTime(made: number, now: number): void {
  const off = made > now + MAX_AHEAD ? "after" : made < now - MAX_AGE ? "before" : null;
  if (off === null) return;
  const said = new Date(made).toISOString();
  throw refusal(off === "after" ? "posture-future" : "posture-old", 403, {
    message:
      off === "after"
        ? `the report is of ${said}, and here it is ${new Date(now).toISOString()}: more than ${MAX_AHEAD / 1_000} s ahead`
        : `the report is of ${said}, and one of more than ${MAX_AGE / 86_400_000} days ago says nothing any more`,
    advice: "Look at the clock of the computer that signed it, and at the appliance's: niac status.",
    recorded: off === "after" ? "a posture report of a time to come" : "a posture report that is too old",
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function json(part: string, what: string): unknown {
  try {
    return JSON.parse(utf8.decode(Buffer.from(part, "base64url")));
  } catch {
    throw malformed(`its ${what} is not JSON`);
  }
}

function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  const path = issue?.path.join(".") ?? "";
  return `${path === "" ? "it" : path}: ${issue?.message ?? ""}`;
}
