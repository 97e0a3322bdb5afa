/** A root, an issuing authority and a laptop's certificate of one algorithm, all of niac's own making, as files for other tools. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "../../../src/x509/index.ts";

export interface Made {
  readonly der: Buffer;
  readonly pem: string;
  /** Path of the PEM file. */
  readonly file: string;
  readonly keys: x509.KeyPair;
  /** Path of the key's PKCS#8 file. */
  readonly keyFile: string;
  readonly certificate: x509.Certificate;
}

export interface Leaf {
  readonly cn?: string;
  readonly purposes?: readonly string[];
  readonly altNames?: readonly x509.AltName[];
  readonly more?: readonly Uint8Array[];
}

const DAY = 86_400_000;

function authority(pathLength: number): Buffer[] {
  return [x509.basicConstraints({ ca: true, pathLength }), x509.keyUsage(["keyCertSign", "cRLSign"])];
}

export class Plant {
  readonly dir = mkdtempSync(join(tmpdir(), "niac-x509-"));
  readonly root: Made;
  readonly issuing: Made;
  #made = 0;

  private constructor(root: (plant: Plant) => Made, issuing: (plant: Plant) => Made) {
    this.root = root(this);
    this.issuing = issuing(this);
  }

  static async create(
    algorithm: x509.KeyAlgorithm,
    issuingExtensions: readonly Uint8Array[] = [],
  ): Promise<Plant> {
    const [rootKeys, issuingKeys] = await Promise.all([
      x509.generateKey(algorithm),
      x509.generateKey(algorithm),
    ]);
    return new Plant(
      (plant) => plant.certify(null, rootKeys, [["CN", "Plant Root"]], authority(1)),
      (plant) =>
        plant.certify(
          plant.root,
          issuingKeys,
          [
            ["O", "Plant 7"],
            ["CN", "Plant Issuing"],
          ],
          [...authority(0), ...issuingExtensions],
        ),
    );
  }

  /** A certificate of the issuing authority's. */
  async leaf(
    { cn = "alice", purposes = ["clientAuth"], altNames = [], more = [] }: Leaf = {},
    algorithm?: x509.KeyAlgorithm,
  ): Promise<Made> {
    const keys = await x509.generateKey(algorithm ?? x509.keyAlgorithmOf(this.root.keys.publicKey) ?? "p256");
    return this.certify(
      this.issuing,
      keys,
      [
        ["OU", "maintenance"],
        ["CN", cn],
      ],
      [
        x509.basicConstraints({ ca: false }),
        x509.keyUsage(["digitalSignature"]),
        x509.extendedKeyUsage(purposes),
        ...(altNames.length === 0 ? [] : [x509.subjectAltName(altNames)]),
        ...more,
      ],
    );
  }

  /** `issuer` null: signed by itself. */
  certify(
    issuer: Made | null,
    keys: x509.KeyPair,
    name: readonly (readonly [x509.AttributeName, string])[],
    extensions: readonly Uint8Array[],
  ): Made {
    const subject = x509.makeName(name);
    const publicKey = x509.publicKeyInfoOf(keys.publicKey);
    const issuerKeyInfo = issuer === null ? publicKey : x509.publicKeyInfoOf(issuer.keys.publicKey);
    const der = x509.makeCertificate(
      {
        serialNumber: x509.randomSerial(),
        issuer: issuer?.certificate.subjectDer ?? subject,
        subject,
        notBefore: Date.now() - DAY,
        notAfter: Date.now() + DAY,
        publicKey,
        extensions: [
          ...extensions,
          x509.subjectKeyIdentifier(publicKey),
          x509.authorityKeyIdentifier(x509.keyIdOf(issuerKeyInfo)),
        ],
      },
      (issuer ?? { keys }).keys.privateKey,
    );
    const pem = x509.certificatePem(der);
    const keyPem = keys.privateKey.export({ type: "pkcs8", format: "pem" });
    return {
      der,
      pem,
      file: this.write("crt", pem),
      keys,
      keyFile: this.write("key", keyPem),
      certificate: x509.readCertificate(der),
    };
  }

  crl(issuer: Made, entries: readonly x509.RevokedSerial[] = []): string {
    const der = x509.makeCrl(
      {
        issuer: issuer.certificate.subjectDer,
        thisUpdate: Date.now() - 60_000,
        nextUpdate: Date.now() + DAY,
        number: 5n,
        entries,
        authorityKeyId: x509.keyIdOf(issuer.certificate.publicKeyInfo),
      },
      issuer.keys.privateKey,
    );
    return x509.toPem(der, "X509 CRL");
  }

  /** A new file of this content; returns its path. */
  write(ending: string, content: string | Uint8Array): string {
    const path = join(this.dir, `${this.#made++}.${ending}`);
    writeFileSync(path, content);
    return path;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
