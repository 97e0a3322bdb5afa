/**
 * The `openssl` command line, for `pki.ts`: requests, signing, and what openssl does not make by itself, certificates with
 * changed bytes that are signed again.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type KeyKind =
  | "p256"
  | "p384"
  | "p521"
  | "secp256k1"
  | "rsa1024"
  | "rsa2048"
  | "rsa3072"
  | "ed25519"
  | "ed448";

/** From when till when; the default is from an hour ago, for 30 days. */
export interface Validity {
  readonly days?: number;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** What every certificate can be asked for. */
export interface Common extends Validity {
  readonly key?: KeyKind;
  /** The ASN.1 types openssl picks names from; default `utf8only`, `pkix` gives PrintableString where it fits. */
  readonly stringMask?: string;
  /** Of the issuer's signature, e.g. `sha1`; default: what openssl takes for the key. */
  readonly digest?: string;
}

/** A distinguished name, the outermost first. */
export type Subject = readonly (readonly [type: string, value: string])[];

const KEY_ARGUMENTS: Readonly<Record<KeyKind, readonly string[]>> = {
  p256: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  p521: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
  secp256k1: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
  rsa1024: ["-newkey", "rsa:1024"],
  rsa2048: ["-newkey", "rsa:2048"],
  rsa3072: ["-newkey", "rsa:3072"],
  ed25519: ["-newkey", "ed25519"],
  ed448: ["-newkey", "ed448"],
};

/** A new key at `stem`.key and a request for `subject` at `stem`.csr. */
export function makeRequest(stem: string, subject: Subject, options: Common): void {
  const config = `${stem}.req.cnf`;
  const mask = options.stringMask ?? "utf8only";
  writeFileSync(config, `[req]\ndistinguished_name = dn\nstring_mask = ${mask}\nutf8 = yes\n[dn]\n`);
  // In -subj a slash parts attributes and a plus parts the values of one; both are data here.
  const text = subject.map(([type, value]) => `/${type}=${value.replaceAll(/[\\/+]/g, "\\$&")}`).join("");
  const key = KEY_ARGUMENTS[options.key ?? "p256"];
  const files = ["-keyout", `${stem}.key`, "-out", `${stem}.csr`];
  openssl(["req", "-new", "-config", config, "-utf8", "-nodes", ...key, ...files, "-subj", text || "/"]);
}

/** The request at `stem` signed by the authority that `config` describes; returns the PEM text. */
export function sign(
  config: string,
  stem: string,
  extensions: readonly string[],
  options: Common,
  more: readonly string[],
): string {
  writeFileSync(`${stem}.ext`, `${extensions.join("\n")}\n`);
  const start = options.notBefore ?? new Date(Date.now() - 3_600_000);
  const end = options.notAfter ?? new Date(Date.now() + (options.days ?? 30) * 86_400_000);
  const files = ["-config", config, "-in", `${stem}.csr`, "-extfile", `${stem}.ext`];
  const dates = ["-startdate", opensslDate(start), "-enddate", opensslDate(end)];
  const how = ["-batch", "-notext", "-preserveDN", "-md", options.digest ?? "default"];
  return openssl(["ca", ...files, ...dates, ...how, ...more]);
}

/** Writes the configuration of `openssl ca` and returns its path. */
export function authorityConfig(
  dir: string,
  authority: { readonly cert: string; readonly key: string },
): string {
  const path = join(dir, "ca.cnf");
  const text = `[ca]
default_ca = this
[this]
database = ${join(dir, "index.txt")}
new_certs_dir = ${join(dir, "issued")}
crlnumber = ${join(dir, "crlnumber")}
certificate = ${authority.cert}
private_key = ${authority.key}
default_md = default
default_crl_days = 1
unique_subject = no
rand_serial = yes
email_in_dn = yes
policy = any
crl_extensions = crl
[any]
commonName = optional
[crl]
authorityKeyIdentifier = keyid:always
`;
  writeFileSync(path, text);
  return path;
}

/** YYYYMMDDHHMMSSZ. */
export function opensslDate(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-T:]/g, "")}Z`;
}

/** Stands in for a second role until the bytes are signed again; openssl keeps the last of two extensions alike. */
export const PLACEHOLDER_OID = "1.3.6.1.4.1.50316.802.2";

/** Makes the placeholder a role extension. */
export function placeholderToRole(toBeSigned: Buffer): Buffer {
  const oid = Buffer.from("060b2b0601040183890c862202", "hex");
  const at = toBeSigned.indexOf(oid);
  if (at < 0) throw new Error("the placeholder of the second role is not in the certificate");
  const changed = Buffer.from(toBeSigned);
  changed[at + oid.length - 1] = 1;
  return changed;
}

/** The certificate with its signed bytes changed and signed again. */
export function resigned(
  stem: string,
  pem: string,
  rewrite: (toBeSigned: Buffer) => Buffer,
  issuerKey: string,
): string {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const tbsAt = headerLength(der, 0);
  const algorithmAt = tbsAt + elementLength(der, tbsAt);
  const algorithm = der.subarray(algorithmAt, algorithmAt + elementLength(der, algorithmAt));
  const toBeSigned = rewrite(der.subarray(tbsAt, algorithmAt));
  writeFileSync(`${stem}.tbs`, toBeSigned);
  openssl(["dgst", "-sha256", "-sign", issuerKey, "-out", `${stem}.sig`, `${stem}.tbs`]);
  const signature = element(0x03, Buffer.concat([Buffer.of(0), readFileSync(`${stem}.sig`)]));
  const whole = element(0x30, Buffer.concat([toBeSigned, algorithm, signature])).toString("base64");
  const lines = whole.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** Tag and length of a DER element of openssl's making: at most two bytes of length. */
function headerLength(der: Buffer, at: number): number {
  const first = der.readUInt8(at + 1);
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function elementLength(der: Buffer, at: number): number {
  const header = headerLength(der, at);
  return header + (header === 2 ? der.readUInt8(at + 1) : der.readUIntBE(at + 2, header - 2));
}

function element(tag: number, content: Buffer): Buffer {
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, content.length >> 8, content.length & 0xff), content]);
}

/** Runs openssl to its end and returns what it printed; throws with its own words when it fails. */
export function openssl(args: readonly string[]): string {
  const run = spawnSync("openssl", args, { encoding: "utf8", timeout: 60_000, maxBuffer: 16 * 1024 * 1024 });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0) throw new Error(`openssl ${args.join(" ")} ended with ${run.status}: ${run.stderr}`);
  return run.stdout;
}
