/** What `openssl s_client` says when it fails, as the codes that Node's own TLS would have given; pure. */
import type { NiacError } from "../base/index.ts";
import { closedUnanswered, explainFailure, type Circumstances } from "./failure.ts";
import { tokenFailure } from "./token-tool.ts";

/** X509_V_ERR_...: numbers of x509_vfy.h. */
const VERDICTS: Readonly<Record<string, string>> = {
  "7": "CERT_SIGNATURE_FAILURE",
  "9": "CERT_NOT_YET_VALID",
  "10": "CERT_HAS_EXPIRED",
  "18": "DEPTH_ZERO_SELF_SIGNED_CERT",
  "19": "SELF_SIGNED_CERT_IN_CHAIN",
  "20": "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "21": "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "62": "ERR_TLS_CERT_ALTNAME_INVALID",
  "64": "ERR_TLS_CERT_ALTNAME_INVALID",
};
const SYSTEM: Readonly<Record<string, string>> = {
  "Connection refused": "ECONNREFUSED",
  "Name or service not known": "ENOTFOUND",
  "Temporary failure in name resolution": "EAI_AGAIN",
  "No route to host": "EHOSTUNREACH",
  "Network is unreachable": "ENETUNREACH",
  "Connection timed out": "ETIMEDOUT",
};

/** The engine, its module, or the loading of the key. */
const FROM_TOKEN =
  /PKCS#11 module|PKCS11_|engine routines|invalid engine|private key was not found|client certificate private key/;

export function explainWords(words: string, about: Circumstances): NiacError {
  if (FROM_TOKEN.test(words)) return tokenFailure(words);
  const verdict = /verify error:num=(\d+)/.exec(words)?.[1];
  const known = verdict === undefined ? undefined : VERDICTS[verdict];
  if (verdict !== undefined) return explainFailure(coded(known ?? "CERT_SIGNATURE_FAILURE"), about);
  const alert = /(?:tlsv1|sslv3|tlsv13)? ?alert ([a-z ]+?)(?=:)/.exec(words)?.[1];
  if (alert !== undefined)
    return explainFailure(coded(`ALERT_${alert.trim().replaceAll(" ", "_").toUpperCase()}`), about);
  for (const [text, code] of Object.entries(SYSTEM))
    if (words.includes(text)) return explainFailure(coded(code), about);
  return closedUnanswered(about);
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}
