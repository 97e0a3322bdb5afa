/**
 * Throw-away authorities and certificates, made by the `openssl` command line (3.0 or later) and so by none of niac's
 * own code: what the tests and the demo show to niac is what another's implementation encoded.
 *
 *     const pki = Pki.create();
 *     const root = pki.root("Plant Root");
 *     const issuing = root.intermediate("Plant Issuing");          // chains of two, three and more levels
 *     const server = issuing.server({ dns: ["modbus.press-4.niac.plant", "*.press-4.niac.plant"] });
 *     const alice = issuing.client({ cn: "alice", ou: ["maintenance"], role: "Operator" });
 *     tls.connect({ ca: root.certPem, cert: alice.chainPem, key: alice.keyPem, ... });
 *     issuing.revoke(alice);
 *     const crls = [issuing.crl(), root.crl()];                    // Node wants one of every authority of the chain
 *     pki.remove();
 *
 * Keys are P-256 unless asked otherwise; one certificate costs two runs of openssl, some 20 ms.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  authorityConfig,
  makeRequest,
  openssl,
  opensslDate,
  placeholderToRole,
  PLACEHOLDER_OID,
  resigned,
  sign,
  type Common,
  type Subject,
} from "./openssl.ts";

export type { KeyKind, Validity } from "./openssl.ts";

/** The MODBUS/TCP Security role extension. */
export const ROLE_OID = "1.3.6.1.4.1.50316.802.1";

export interface AuthorityOptions extends Common {
  readonly pathLength?: number;
  /** Extended key usage that bounds what may be issued below, e.g. `serverAuth`; default: none. */
  readonly eku?: string;
}

export interface ServerOptions extends Common {
  /** Default: the first of `dns`. */
  readonly cn?: string;
  /** DNS names, wildcard forms too. */
  readonly dns: readonly string[];
  /** IP addresses, e.g. `127.0.0.1`. */
  readonly ip?: readonly string[];
  /** Extended key usage; default `serverAuth`. */
  readonly eku?: string;
}

export interface ClientOptions extends Common {
  /** The common name, or several or none. */
  readonly cn: string | readonly string[];
  readonly ou?: readonly string[];
  /** Subject attributes that come first, e.g. `[["O", "Plant"], ["C", "DE"]]`. */
  readonly before?: readonly (readonly [type: string, value: string])[];
  /** The role, as a UTF8String; none: no role extension. */
  readonly role?: string;
  readonly sanUris?: readonly string[];
  readonly sanDns?: readonly string[];
  /** Extended key usage; default `clientAuth`; null: no such extension. */
  readonly eku?: string | null;
  /** Key usage; default `critical,digitalSignature`; null: no such extension. */
  readonly keyUsage?: string | null;
  /** Basic constraints say CA:TRUE, for a certificate authority that poses as a client. */
  readonly ca?: boolean;
  /** A second role extension. openssl makes none by itself: see `rewrite`. */
  readonly secondRole?: string;
  /** More extensions, one `name=value` of openssl's x509v3_config each, e.g. `1.2.3.4=ASN1:PRINTABLESTRING:x`. */
  readonly rawExtensions?: readonly string[];
  /**
   * Changes the bytes that are signed (DER of TBSCertificate) and has openssl sign them anew with SHA-256: for what an
   * honest authority never issues. The issuer's key is then EC or RSA, and lengths within are the caller's to keep right.
   */
  readonly rewrite?: (toBeSigned: Buffer) => Buffer;
}

/** Paths of what was made, and the same as PEM text. */
export class Credential {
  readonly cert: string;
  readonly key: string;
  /** The certificate, then the intermediates, without the root. */
  readonly chain: string;
  /** The same with the root (what R-46 of MODBUS/TCP Security asks a server to send). */
  readonly fullChain: string;
  /** The root it leads to. */
  readonly ca: string;

  constructor(stem: string, certPem: string, issuer: Credential | null) {
    this.cert = `${stem}.crt`;
    this.key = `${stem}.key`;
    this.chain = `${stem}.chain.pem`;
    this.fullChain = `${stem}.full.pem`;
    this.ca = issuer === null ? this.cert : issuer.ca;
    writeFileSync(this.cert, certPem);
    // A root's own chain is the root; what it issues leaves the root out.
    const above = issuer === null || issuer.ca === issuer.cert ? "" : issuer.chainPem;
    writeFileSync(this.chain, certPem + above);
    writeFileSync(this.fullChain, issuer === null ? certPem : certPem + issuer.fullChainPem);
  }

  get certPem(): string {
    return readFileSync(this.cert, "utf8");
  }

  get keyPem(): string {
    return readFileSync(this.key, "utf8");
  }

  get chainPem(): string {
    return readFileSync(this.chain, "utf8");
  }

  get fullChainPem(): string {
    return readFileSync(this.fullChain, "utf8");
  }

  get caPem(): string {
    return readFileSync(this.ca, "utf8");
  }
}

/** A certificate authority: a root or an intermediate. */
export class Authority {
  readonly #pki: Pki;
  readonly #dir: string;
  readonly credential: Credential;

  /** For `Pki.root` and `intermediate`. */
  constructor(pki: Pki, dir: string, credential: Credential) {
    this.#pki = pki;
    this.#dir = dir;
    this.credential = credential;
  }

  get certPem(): string {
    return this.credential.certPem;
  }

  intermediate(cn: string, options: AuthorityOptions = {}): Authority {
    const dir = this.#pki.newAuthorityDir();
    const stem = join(dir, "ca");
    const certPem = this.#sign(stem, [["CN", cn]], authorityExtensions(options), options);
    return new Authority(this.#pki, dir, new Credential(stem, certPem, this.credential));
  }

  server(options: ServerOptions): Credential {
    const names = [
      ...options.dns.map((name) => `DNS:${name}`),
      ...(options.ip ?? []).map((address) => `IP:${address}`),
    ];
    const extensions = [
      "basicConstraints=critical,CA:FALSE",
      "keyUsage=critical,digitalSignature",
      `extendedKeyUsage=${options.eku ?? "serverAuth"}`,
      ...identifiers,
      ...alternativeNames(names),
    ];
    return this.#issue([["CN", options.cn ?? options.dns[0] ?? "server"]], extensions, options);
  }

  client(options: ClientOptions): Credential {
    const extensions = clientExtensions(options, identifiers);
    const rewrite = options.secondRole === undefined ? options.rewrite : placeholderToRole;
    return this.#issue(clientSubject(options), extensions, options, rewrite);
  }

  /** Certificates revoked stay so in every later `crl()`. */
  revoke(credential: Credential, reason = "keyCompromise"): void {
    openssl(["ca", "-config", this.#config(), "-revoke", credential.cert, "-crl_reason", reason]);
  }

  /** A CRL of now, as PEM text; `nextUpdate` is a day ahead unless given (in the past: an expired CRL). */
  crl(options: { readonly lastUpdate?: Date; readonly nextUpdate?: Date } = {}): string {
    const last = options.lastUpdate ?? new Date(Date.now() - 60_000);
    const next = options.nextUpdate ?? new Date(Date.now() + 86_400_000);
    const dates = ["-crl_lastupdate", opensslDate(last), "-crl_nextupdate", opensslDate(next)];
    return openssl(["ca", "-config", this.#config(), "-gencrl", ...dates]);
  }

  #issue(
    subject: Subject,
    extensions: readonly string[],
    options: Common,
    rewrite?: (toBeSigned: Buffer) => Buffer,
  ): Credential {
    const stem = this.#pki.newStem();
    const certPem = this.#sign(stem, subject, extensions, options);
    const pem = rewrite === undefined ? certPem : resigned(stem, certPem, rewrite, this.credential.key);
    return new Credential(stem, pem, this.credential);
  }

  #sign(stem: string, subject: Subject, extensions: readonly string[], options: Common): string {
    makeRequest(stem, subject, options);
    return sign(this.#config(), stem, extensions, options, []);
  }

  #config(): string {
    return authorityConfig(this.#dir, this.credential);
  }
}

/** One temporary directory with all authorities and certificates made in it. */
export class Pki {
  readonly dir: string;
  #made = 0;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** In `dir`, which is then made and later removed; default: a new one in the system's temporary directory. */
  static create(dir?: string): Pki {
    if (dir === undefined) return new Pki(mkdtempSync(join(tmpdir(), "niac-pki-")));
    mkdirSync(dir, { recursive: true });
    return new Pki(dir);
  }

  /** A self-signed authority. */
  root(cn = "niac Test Root", options: AuthorityOptions = {}): Authority {
    const { dir, credential } = this.#selfSign([["CN", cn]], authorityExtensions(options), options);
    return new Authority(this, dir, credential);
  }

  /** A client's certificate that no authority vouches for. */
  selfSigned(options: ClientOptions): Credential {
    const extensions = clientExtensions(options, ["subjectKeyIdentifier=hash"]);
    return this.#selfSign(clientSubject(options), extensions, options).credential;
  }

  #selfSign(subject: Subject, extensions: readonly string[], options: Common) {
    const dir = this.newAuthorityDir();
    const stem = join(dir, "ca");
    makeRequest(stem, subject, options);
    const config = authorityConfig(dir, { cert: `${stem}.crt`, key: `${stem}.key` });
    const certPem = sign(config, stem, extensions, options, ["-selfsign"]);
    return { dir, credential: new Credential(stem, certPem, null) };
  }

  /** Removes everything that was made. */
  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** For `Authority`: where the next certificate goes, without an ending. */
  newStem(): string {
    this.#made += 1;
    return join(this.dir, String(this.#made));
  }

  /** For `Authority`: a directory with an empty database of issued certificates. */
  newAuthorityDir(): string {
    const dir = `${this.newStem()}-ca`;
    mkdirSync(join(dir, "issued"), { recursive: true });
    writeFileSync(join(dir, "index.txt"), "");
    writeFileSync(join(dir, "crlnumber"), "01\n");
    return dir;
  }
}

const identifiers = ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid:always"];

function authorityExtensions(options: AuthorityOptions): string[] {
  const length = options.pathLength === undefined ? "" : `,pathlen:${options.pathLength}`;
  return [
    `basicConstraints=critical,CA:TRUE${length}`,
    "keyUsage=critical,keyCertSign,cRLSign",
    ...(options.eku === undefined ? [] : [`extendedKeyUsage=${options.eku}`]),
    "subjectKeyIdentifier=hash",
  ];
}

function alternativeNames(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  // A section of its own: a comma in a name would part two names in the short form.
  const lines = names.map((name, index) => {
    const colon = name.indexOf(":");
    return `${name.slice(0, colon)}.${index} = ${name.slice(colon + 1)}`;
  });
  return ["subjectAltName=@names", "[names]", ...lines];
}

function clientExtensions(options: ClientOptions, keyIds: readonly string[]): string[] {
  const names = [
    ...(options.sanUris ?? []).map((uri) => `URI:${uri}`),
    ...(options.sanDns ?? []).map((name) => `DNS:${name}`),
  ];
  const keyUsage = options.keyUsage === undefined ? "critical,digitalSignature" : options.keyUsage;
  const eku = options.eku === undefined ? "clientAuth" : options.eku;
  return [
    `basicConstraints=critical,CA:${options.ca === true ? "TRUE" : "FALSE"}`,
    ...(keyUsage === null ? [] : [`keyUsage=${keyUsage}`]),
    ...(eku === null ? [] : [`extendedKeyUsage=${eku}`]),
    ...keyIds,
    ...(options.role === undefined ? [] : [roleExtension(ROLE_OID, options.role)]),
    ...(options.secondRole === undefined ? [] : [roleExtension(PLACEHOLDER_OID, options.secondRole)]),
    ...(options.rawExtensions ?? []),
    ...alternativeNames(names),
  ];
}

function clientSubject(options: ClientOptions): Subject {
  const cns = typeof options.cn === "string" ? [options.cn] : options.cn;
  return [
    ...(options.before ?? []),
    ...(options.ou ?? []).map((ou) => ["OU", ou] as const),
    ...cns.map((cn) => ["CN", cn] as const),
  ];
}

function roleExtension(oid: string, role: string): string {
  return `${oid}=ASN1:FORMAT:UTF8,UTF8String:${role}`;
}
