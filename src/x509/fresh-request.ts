import { generateKey } from "./keys.ts";
import { makeName } from "./name.ts";
import { makeRequest } from "./request-maker.ts";

/** A new P-256 key (PEM, PKCS#8) and the request, DER of PKCS#10, for a certificate with that common name and those names and addresses. */
export async function freshRequest(names: {
  readonly commonName: string;
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}): Promise<{ readonly request: Buffer; readonly key: string }> {
  const keys = await generateKey("p256");
  const altNames = [...names.dns.map((dns) => ({ dns })), ...names.ip.map((ip) => ({ ip }))];
  const request = makeRequest({ subject: makeName([["CN", names.commonName]]), altNames }, keys);
  return { request, key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}
