/** What the enrolment listener is asked for, by method and path; pure. */
import { TIERS } from "../authority/index.ts";
import type { Label } from "./enrol-requests.ts";

export const OPERATIONS = ["cacerts", "csrattrs", "simpleenroll", "simplereenroll"] as const;
export type Operation = (typeof OPERATIONS)[number];

export type Asked =
  | { readonly what: "est"; readonly operation: Operation; readonly label: Label | null }
  | { readonly what: "crl"; readonly authority: string }
  | { readonly what: "page" | "sign-in" | "posture" }
  | { readonly what: "refused"; readonly status: 404 | 405; readonly reason: string; readonly allow: string };

/** RFC 7030, section 3.2.2. */
const EST = /^\/\.well-known\/est(?:\/([^/]+))?\/([^/]+)$/;
const CRL = /^\/crl\/([A-Za-z0-9._-]{1,128})\.crl$/;
/** A tier, and a tenant behind a full stop. */
const LABEL = /^([a-z]+)(?:\.([A-Za-z0-9][A-Za-z0-9._-]{0,63}))?$/;

const PLACES: ReadonlyMap<
  string,
  { readonly what: "page" | "sign-in" | "posture"; readonly method: string }
> = new Map([
  ["/", { what: "page", method: "GET" }],
  ["/.well-known/niac/sign-in", { what: "sign-in", method: "GET" }],
  ["/.well-known/niac/posture", { what: "posture", method: "POST" }],
] as const);

export function readPath(method: string, path: string): Asked {
  const place = PLACES.get(path);
  if (place) return only(method, place.method, { what: place.what });
  const [, authority] = CRL.exec(path) ?? [];
  if (authority !== undefined) return only(method, "GET", { what: "crl", authority });
  const [whole, labelText, name] = EST.exec(path) ?? [];
  const operation = OPERATIONS.find((known) => known === name);
  if (whole === undefined || operation === undefined) return unknown("there is nothing at this path");
  const label = labelText === undefined ? null : readLabel(labelText);
  if (labelText !== undefined && label === null) return unknown("there is no such label");
  const allow = operation === "cacerts" || operation === "csrattrs" ? "GET" : "POST";
  return only(method, allow, { what: "est", operation, label });
}

function readLabel(text: string): Label | null {
  const [, tierName, tenant] = LABEL.exec(text) ?? [];
  const tier = TIERS.find((known) => known === tierName);
  return tier === undefined ? null : { tier, tenant: tenant ?? null };
}

function only(method: string, allow: string, asked: Asked): Asked {
  if (method === allow) return asked;
  return { what: "refused", status: 405, reason: `this path takes ${allow} and not ${method}`, allow };
}

function unknown(reason: string): Asked {
  return { what: "refused", status: 404, reason, allow: "" };
}
