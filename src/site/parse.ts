/** From the document's text to its snapshot, with every mistake found on the way. */
import { createHash } from "node:crypto";
import { compile } from "./compile.ts";
import type { Finding } from "./findings.ts";
import { parseOptions, reportIssues } from "./issues.ts";
import { deepFreeze } from "./lookup.ts";
import { checkReferences, valueAt } from "./references.ts";
import { documentSchema, lists, mappings, siteSchema } from "./schema.ts";
import type { Snapshot } from "./snapshot.ts";
import { readYaml } from "./yaml.ts";

export interface SiteResult {
  /** Deeply frozen; null where a finding is an error. */
  readonly snapshot: Snapshot | null;
  readonly findings: readonly Finding[];
}

/** A section that holds nothing (`grants:` before only comments) is an empty one; everywhere else nothing is a mistake. */
function withoutEmptySections(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const sections = new Set<string>([...Object.keys(mappings), ...Object.keys(lists), "trust"]);
  return Object.fromEntries(
    Object.entries(value).filter(([key, section]) => section !== null || !sections.has(key)),
  );
}

/**
 * Reads a site document. Never throws on bad text: all its mistakes are in `findings`, in the order of the document. A document
 * without grants is right, and denies everything. `fileName` is for messages only.
 */
export function parseSite(text: string, fileName: string): SiteResult {
  const { value, structured, reporter } = readYaml(text, fileName);
  if (!structured) return { snapshot: null, findings: reporter.list() };
  const root = withoutEmptySections(value);
  const parsed = documentSchema.safeParse(root, parseOptions);
  if (!parsed.success) reportIssues(parsed.error.issues, [], reporter);
  checkReferences(root, reporter);
  const site = siteSchema.safeParse(valueAt(root, ["site"])).data ?? null;
  const compiled = compile(root, site, reporter);
  if (site === null || reporter.errors > 0) return { snapshot: null, findings: reporter.list() };
  const hash = createHash("sha256").update(text).digest("hex");
  return { snapshot: deepFreeze({ ...compiled, hash, site }), findings: reporter.list() };
}
