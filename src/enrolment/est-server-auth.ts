/** The header Authorization: Basic (RFC 7617) with a one-time code, or Bearer (RFC 6750) with an ID token. Pure. */

export type Authorization =
  | { readonly scheme: "basic"; readonly user: string; readonly code: string }
  | { readonly scheme: "bearer"; readonly token: string }
  | { readonly scheme: "unknown" };

const MAX_USER = 255;
const MAX_CODE = 255;

/** Null: there is none. Nothing of it ever stands in a message. */
export function readAuthorization(header: string | null): Authorization | null {
  if (header === null) return null;
  const [, scheme = "", value = ""] = /^([A-Za-z]+) +([A-Za-z0-9._~+/=-]+)$/.exec(header) ?? [];
  if (scheme.toLowerCase() === "bearer") return { scheme: "bearer", token: value };
  if (scheme.toLowerCase() !== "basic") return { scheme: "unknown" };
  const bytes = Buffer.from(value, "base64");
  const text = bytes.toString("utf8");
  const colon = text.indexOf(":");
  const user = text.slice(0, colon);
  const code = text.slice(colon + 1);
  // What is not UTF-8 comes out as other bytes than went in.
  const clean = bytes.equals(Buffer.from(text)) && !/\p{Cc}/u.test(text);
  if (!clean || colon < 1 || user.length > MAX_USER || code.length > MAX_CODE) return { scheme: "unknown" };
  return { scheme: "basic", user, code };
}
