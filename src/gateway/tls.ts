import { constants } from "node:crypto";
import * as tls from "node:tls";

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

/** Authenticated encryption only, as MODBUS/TCP Security asks. */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
/** The hybrid first; then what peers without it have. */
const GROUPS = "X25519MLKEM768:X25519:P-256:P-384";

/** For listeners. Throws what OpenSSL says of unusable material. */
export function serverOptions(material: TlsMaterial, tls12: boolean): tls.SecureContextOptions {
  const options: tls.SecureContextOptions = {
    cert: material.certificate,
    key: material.key,
    ca: material.clientCa,
    minVersion: tls12 ? "TLSv1.2" : "TLSv1.3",
    ciphers: CIPHERS,
    honorCipherOrder: true,
    ecdhCurve: GROUPS,
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
    ecdhCurve: GROUPS,
  });
}
