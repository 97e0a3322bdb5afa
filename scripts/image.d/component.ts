/** The pieces of a CycloneDX 1.6 document, as far as the image's has them. */
import { spdxOf } from "./copyright.ts";

export type Licence =
  | { readonly license: { readonly id: string } | { readonly name: string } }
  | { readonly expression: string };

export interface Component {
  readonly type: "application" | "device-driver" | "firmware" | "library" | "operating-system";
  readonly "bom-ref": string;
  readonly supplier?: { readonly name: string };
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly hashes?: readonly { readonly alg: "SHA-256" | "SHA-512"; readonly content: string }[];
  readonly licenses?: readonly Licence[];
  readonly cpe?: string;
  readonly purl?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

export interface Dependency {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

/** From the lock file's form to CycloneDX's. */
export function sha512(integrity: string): { readonly alg: "SHA-512"; readonly content: string } {
  const [, base64] = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity) ?? [];
  if (base64 === undefined) throw new Error(`${JSON.stringify(integrity)} is no SHA-512`);
  return { alg: "SHA-512", content: Buffer.from(base64, "base64").toString("hex") };
}

export function licences(names: readonly string[]): readonly Licence[] {
  const known = new Map(names.map((name) => [spdxOf(name) ?? name, spdxOf(name) !== undefined]));
  if (known.size === 0) return [{ license: { name: "see its copyright file" } }];
  return [...known]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, spdx]) => (spdx ? spdxLicence(name) : { license: { name } }));
}

export function spdxLicence(id: string): Licence {
  return { license: { id } };
}

/** package-url, "Rules for each purl component": percent-encoded but for `.-_~` and the colon. */
export function purlText(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}
