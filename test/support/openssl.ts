/** What openssl does not make by itself: certificates with changed bytes, signed again. For `pki.ts`. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

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
