/** What niac's TLS speaks, on every side of it; OpenSSL's names. */

/** Authenticated encryption with forward secrecy only, as MODBUS/TCP Security asks too. */
export const TLS_CIPHERS = [
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

/** The hybrid with ML-KEM first; then what peers without it have. */
export const TLS_GROUPS = "X25519MLKEM768:X25519:P-256:P-384";
