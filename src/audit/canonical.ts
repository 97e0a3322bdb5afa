import { BugError } from "../base/index.ts";

/**
 * JSON with one spelling for each value (RFC 8785: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript
 * writes them), so that the text can be hashed and compared. Keys whose value is undefined are left out.
 * Throws BugError for what JSON cannot say: NaN, infinities, functions, bigints, undefined inside an array.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new BugError("canonical-json", `${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object") return canonicalObject(value);
  throw new BugError("canonical-json", `a ${typeof value} has no JSON form`);
}

function canonicalObject(value: object): string {
  const members: string[] = [];
  for (const [key, member] of Object.entries(value).toSorted(byKey)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
