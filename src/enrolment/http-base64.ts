import { HttpRefusal } from "./http-reply.ts";

const ADVICE =
  "Send the DER of the request in base64 and nothing else: openssl req -in laptop.csr -outform DER | openssl base64.";

/**
 * The bytes of a body in base64 (RFC 4648, section 4; RFC 8951, section 3.1), in lines or not. Strict: no characters beyond the
 * alphabet, padding as it must be, unused bits zero. Throws an HttpRefusal.
 */
export function decodeBase64Body(body: Uint8Array): Buffer {
  const text = Buffer.from(body).toString("latin1");
  if (text.startsWith("-----BEGIN"))
    throw refuse("the body is PEM, and base64 without its two lines is taken");
  const digits = text.replaceAll(/\r?\n/g, "");
  if (digits === "") throw refuse("the body is empty");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) throw refuse("the body is not base64");
  const bytes = Buffer.from(digits, "base64");
  if (bytes.toString("base64") !== digits)
    throw refuse("the body is not base64 in its one form (padding, unused bits)");
  return bytes;
}

function refuse(message: string): HttpRefusal {
  return new HttpRefusal("est-base64", { status: 400, stage: "request", message, advice: ADVICE });
}
