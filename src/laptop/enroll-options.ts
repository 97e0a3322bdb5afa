import { readFileSync } from "node:fs";
import { systemCode, UsageError } from "../base/index.ts";
import { KEY_ALGORITHMS, type KeyAlgorithm } from "../x509/index.ts";
import { parseVia, SERVICES_PORT } from "./options.ts";
import { profileName } from "./places.ts";

/** What was typed after `niac enroll`. */
export interface TypedEnroll {
  readonly user?: string;
  readonly codeFile?: string;
  readonly signIn?: boolean;
  readonly fingerprint?: string;
  readonly ca?: string;
  readonly device?: string;
  readonly tier?: string;
  readonly tenant?: string;
  readonly algorithm?: string;
  readonly via?: string;
  readonly appliance?: string;
  readonly profile?: string;
  readonly again?: boolean;
  readonly pkcs11?: string;
  readonly token?: string;
  readonly pinFile?: string;
}

/** How the box is known before anything is sent to it. */
export type BoxTrust = { readonly ca: string } | { readonly fingerprint: string };

export interface TokenWish {
  /** Path of the PKCS#11 module. */
  readonly module: string;
  /** The token's label; null: the only token there is. */
  readonly label: string | null;
  readonly pinFile: string | null;
}

export interface EnrollOptions {
  /** `https://host[:port]`. */
  readonly box: string;
  /** EST label: tier, or `tier.tenant`; null: none. */
  readonly label: string | null;
  /** Null: whoever lets this laptop in says whose it is. */
  readonly user: string | null;
  readonly device: string;
  readonly algorithm: KeyAlgorithm;
  /** Null: the person is asked to compare. */
  readonly trust: BoxTrust | null;
  readonly signIn: boolean;
  readonly codeFile: string | null;
  /** `host:port` of the listener for services. */
  readonly via: string;
  readonly appliance: string;
  readonly profile: string;
  readonly again: boolean;
  /** Null: the key is kept in a file. */
  readonly token: TokenWish | null;
}

const DEVICE = /^[^\p{C}\p{Z}]{1,100}$/u;
const LABEL_PART = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Throws a UsageError that says which option is wrong, and what it takes. */
export function readEnrollOptions(
  url: string,
  typed: TypedEnroll,
  computer: { readonly hostname: string; readonly lookup: (name: string) => string | undefined },
): EnrollOptions {
  const box = parseBox(url);
  const host = new URL(box).hostname.replace(/^\[(.*)\]$/, "$1");
  const where = typed.via === undefined ? { host, port: SERVICES_PORT } : parseVia(typed.via);
  if (typed.signIn === true && typed.codeFile !== undefined) {
    throw new UsageError(
      "enroll-way",
      "--sign-in and --code-file exclude each other: one of them says who you are",
    );
  }
  if (typed.pkcs11 === undefined && (typed.token !== undefined || typed.pinFile !== undefined)) {
    throw new UsageError(
      "enroll-token",
      "--token and --pin-file belong to a key in a token: name its module with --pkcs11",
    );
  }
  return {
    box,
    label: labelOf(typed),
    user: typed.user ?? null,
    device: device(typed.device ?? computer.hostname),
    algorithm: algorithm(typed.algorithm ?? "p256"),
    trust: trust(typed),
    signIn: typed.signIn ?? false,
    codeFile: typed.codeFile ?? null,
    via: `${where.host.includes(":") ? `[${where.host}]` : where.host}:${where.port}`,
    appliance: typed.appliance ?? host,
    profile: profileName(typed.profile, computer.lookup),
    again: typed.again ?? false,
    token:
      typed.pkcs11 === undefined
        ? null
        : { module: typed.pkcs11, label: typed.token ?? null, pinFile: typed.pinFile ?? null },
  };
}

/** The origin of `https://box.example`, `https://192.0.2.1:4443/` or `box.example`. */
function parseBox(text: string): string {
  const full = text.includes("://") ? text : `https://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  const bare = url && !url.username && !url.password && !url.search && !url.hash && url.pathname === "/";
  if (url?.protocol === "https:" && bare) return url.origin;
  throw new UsageError(
    "box",
    `${JSON.stringify(text)} is no address of a box; it takes https://host or https://host:port`,
  );
}

function labelOf({ tier, tenant }: TypedEnroll): string | null {
  if (tier === undefined && tenant === undefined) return null;
  const parts = [tier ?? "managed", ...(tenant === undefined ? [] : [tenant])];
  const wrong = parts.find((part) => !LABEL_PART.test(part));
  if (wrong === undefined) return parts.join(".");
  throw new UsageError(
    "enroll-label",
    `--tier and --tenant take letters a to z, digits and hyphens; one of them is ${JSON.stringify(wrong)}`,
  );
}

function device(name: string): string {
  if (DEVICE.test(name)) return name;
  throw new UsageError(
    "device",
    `--device is ${JSON.stringify(name)}; it takes 1 to 100 characters without spaces, such as laptop-7`,
  );
}

function algorithm(text: string): KeyAlgorithm {
  const known = KEY_ALGORITHMS.find((each) => each === text);
  if (known !== undefined) return known;
  throw new UsageError(
    "algorithm",
    `--algorithm is ${JSON.stringify(text)}; it takes ${KEY_ALGORITHMS.join(", ")}`,
  );
}

function trust({ fingerprint, ca }: TypedEnroll): BoxTrust | null {
  if (ca !== undefined && fingerprint !== undefined) {
    throw new UsageError(
      "enroll-trust",
      "--ca and --fingerprint exclude each other: one of them says which box is right",
    );
  }
  if (fingerprint !== undefined) return { fingerprint };
  if (ca === undefined) return null;
  try {
    return { ca: readFileSync(ca, "utf8") };
  } catch (error) {
    throw new UsageError("file", `--ca: ${ca} cannot be read (${systemCode(error)})`);
  }
}
