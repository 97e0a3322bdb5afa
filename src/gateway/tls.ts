import { constants } from "node:crypto";
import * as tls from "node:tls";
import { TLS_CIPHERS, TLS_GROUPS } from "../base/index.ts";

/**
 * PEM texts. The key is held in the gateway's memory and nowhere else. `clientCa`: whose clients are let in; `serverCa`: whose
 * servers the gateway trusts where it connects by TLS itself.
 */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
  readonly serverCa: string;
}

/** For listeners. Throws what OpenSSL says of unusable material. */
export function serverOptions(material: TlsMaterial, tls12: boolean): tls.SecureContextOptions {
  const options: tls.SecureContextOptions = {
    cert: material.certificate,
    key: material.key,
    ca: material.clientCa,
    minVersion: tls12 ? "TLSv1.2" : "TLSv1.3",
    ciphers: TLS_CIPHERS,
    honorCipherOrder: true,
    ecdhCurve: TLS_GROUPS,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
  tls.createSecureContext(options);
  return options;
}

/** For connections of the gateway's own: TLS 1.3 and nothing older. Throws what OpenSSL says of unusable material. */
export function clientContext(material: TlsMaterial): tls.SecureContext {
  return tls.createSecureContext({
    cert: material.certificate,
    key: material.key,
    ca: material.serverCa,
    minVersion: "TLSv1.3",
    ecdhCurve: TLS_GROUPS,
  });
}
