/** Everybody's keys and certificates in ML-DSA-65, which the installed openssl may not know; written by niac, read by OpenSSL. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "../../src/x509/index.ts";
import { Credential } from "../../test/support/pki.ts";
import { SERVER_NAME } from "./load.ts";
import type { Identities } from "./stage.ts";

const DAY = 86_400_000;

export async function mlDsaIdentities(dir: string): Promise<Identities> {
  const own = await Root.make(join(dir, "root"));
  const other = await Root.make(join(dir, "other"));
  const names = [{ dns: SERVER_NAME }, { ip: "127.0.0.1" }];
  const device = [{ uri: "urn:niac:device:laptop-1" }];
  return {
    authority: own.credential,
    server: await own.issue(join(dir, "server"), SERVER_NAME, "serverAuth", names),
    engineer: await own.issue(join(dir, "engineer"), "engineer-1", "clientAuth", device),
    stranger: await other.issue(join(dir, "stranger"), "engineer-1", "clientAuth", device),
  };
}

class Root {
  readonly credential: Credential;
  readonly #keys: x509.KeyPair;
  readonly #name = x509.makeName([["CN", "niac bench root"]]);

  private constructor(stem: string, keys: x509.KeyPair) {
    this.#keys = keys;
    this.credential = this.#write(
      stem,
      keys,
      this.#name,
      [x509.basicConstraints({ ca: true }), x509.keyUsage(["keyCertSign", "cRLSign"])],
      null,
    );
  }

  static async make(stem: string): Promise<Root> {
    return new Root(stem, await x509.generateKey("ml-dsa-65"));
  }

  async issue(
    stem: string,
    commonName: string,
    purpose: string,
    names: readonly x509.AltName[],
  ): Promise<Credential> {
    const keys = await x509.generateKey("ml-dsa-65");
    const extensions = [
      x509.basicConstraints({ ca: false }),
      x509.keyUsage(["digitalSignature"]),
      x509.extendedKeyUsage([purpose]),
      x509.subjectAltName(names),
      x509.authorityKeyIdentifier(x509.keyIdOf(x509.publicKeyInfoOf(this.#keys.publicKey))),
    ];
    return this.#write(stem, keys, x509.makeName([["CN", commonName]]), extensions, this.credential);
  }

  #write(
    stem: string,
    keys: x509.KeyPair,
    subject: Buffer,
    extensions: readonly Buffer[],
    issuer: Credential | null,
  ): Credential {
    const publicKey = x509.publicKeyInfoOf(keys.publicKey);
    const certificate = x509.makeCertificate(
      {
        serialNumber: x509.randomSerial(),
        issuer: this.#name,
        subject,
        notBefore: Date.now() - DAY,
        notAfter: Date.now() + 30 * DAY,
        publicKey,
        extensions: [...extensions, x509.subjectKeyIdentifier(publicKey)],
      },
      this.#keys.privateKey,
    );
    writeFileSync(`${stem}.key`, keys.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    return new Credential(stem, x509.certificatePem(certificate), issuer);
  }
}
