/** What zod found, in words for the admin who wrote the document, each at its place. */
import * as z from "zod";
import type { Path, Reporter } from "./findings.ts";
import { mistakeParams, shown } from "./scalar.ts";
import { valueAt } from "./references.ts";
import { closest, listed } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

const SEPARATOR = ", ";

/**
 * Handed to every parse: an unknown key's issue carries the names that are known there, since the issue itself does not say
 * which schema it came from.
 */
export const parseOptions = {
  reportInput: true,
  error: (issue: z.core.$ZodRawIssue): string | undefined => {
    const known = issue.code === "unrecognized_keys" && issue.inst instanceof z.ZodObject;
    return known ? Object.keys(issue.inst.shape).join(SEPARATOR) : undefined;
  },
};

function nameOf(path: Path): string {
  const last = path.at(-1);
  return typeof last === "string" ? last : "this entry";
}

function nothing(path: Path): string {
  return typeof path.at(-1) === "string" ? `nothing stands after ${nameOf(path)}` : "nothing stands here";
}

/** Keys that have their place elsewhere, or mean something else. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    howFast: "howFast limits what is granted; a forbid forbids all of it",
    posture: "only a grant to laptops asks for a posture: what has no certificate has none",
    discreteInputs: "discrete inputs cannot be written",
    inputRegisters: "input registers cannot be written",
    "who.sources": "clients without a certificate are given what they may do under unsafeUnauthenticated",
    "who.machines": "what machines may connect to is written under destinations",
    "what.destinations": "what machines may ask of a destination is written there",
  }),
);

function reportUnknownKeys(
  issue: Issue & { code: "unrecognized_keys" },
  path: Path,
  reporter: Reporter,
): void {
  const known = issue.message.split(SEPARATOR);
  const given = issue.input ?? {};
  const free = known.filter((key) => !Object.hasOwn(given, key));
  for (const key of issue.keys) {
    const elsewhere = ELSEWHERE.get(key) ?? ELSEWHERE.get(`${nameOf(path)}.${key}`);
    const suggestion = elsewhere === undefined ? closest(key, free) : undefined;
    reporter.error([...path, key], elsewhere ?? `${shown(key)} is not known here`, {
      spot: "key",
      expected: `one of ${known.join(SEPARATOR)}`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

const KINDS: Readonly<Record<string, string>> = {
  object: "a mapping (name: value)",
  record: "a mapping (name: value)",
  array: "a list",
  boolean: "true or false",
  string: "text",
  number: "a number",
};

function missing(path: Path, expected: string | undefined, reporter: Reporter): void {
  const hint = expected === undefined ? {} : { expected };
  reporter.error(path, `${nameOf(path)} is missing`, { spot: "key", ...hint });
}

/** What this issue would have taken, e.g. `a list`, `tcp, udp`. */
function expectedBy(issue: Issue): string | undefined {
  if (issue.code === "invalid_type") return KINDS[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_value") return issue.values.map(String).join(SEPARATOR);
  if (issue.code === "custom") return mistakeParams.safeParse(issue.params).data?.expected;
  return undefined;
}

/** No alternative took the value: the one that took its shape speaks, else all say what they would have taken. */
function reportUnion(issue: Issue & { code: "invalid_union" }, path: Path, reporter: Reporter): void {
  if (issue.errors.length === 0) {
    const options = "options" in issue && issue.options !== undefined ? issue.options.map(String) : [];
    // A discriminated union: the path ends with the key that decides, the input is the mapping it stands in.
    const given = valueAt(issue.input, path.slice(-1));
    if (given === undefined) missingChoice(issue.input, path, options, reporter);
    else reportValue(path, given, options, reporter);
    return;
  }
  const fitting = issue.errors.find((issues) =>
    issues.every(
      (inner) => inner.path.length > 0 || inner.code === "unrecognized_keys" || inner.code === "too_small",
    ),
  );
  const named = issue.errors.find((issues) => issues.some((inner) => inner.code === "custom"));
  const chosen = fitting ?? (typeof issue.input === "object" ? undefined : named);
  if (chosen !== undefined) {
    reportIssues(chosen, path, reporter);
    return;
  }
  const inner = issue.errors.flat();
  const expected = [...new Set(inner.flatMap((one) => expectedBy(one) ?? []))].join(", or ");
  if (issue.input === undefined) {
    missing(path, expected, reporter);
    return;
  }
  const words = inner.flatMap((one) => (one.code === "invalid_value" ? one.values.map(String) : []));
  const suggestion =
    typeof issue.input === "string"
      ? (closest(issue.input, words) ?? (inner.some(wantsList) ? `[${issue.input}]` : undefined))
      : undefined;
  reporter.error(path, issue.input === null ? nothing(path) : `${shown(issue.input)} cannot stand here`, {
    expected,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** The key that decides is not there; one that was meant to be it is pointed at. */
function missingChoice(input: unknown, path: Path, options: readonly string[], reporter: Reporter): void {
  const key = nameOf(path);
  const keys = typeof input === "object" && input !== null ? Object.keys(input) : [];
  const meant = closest(key, keys);
  const expected = `one of ${options.join(SEPARATOR)}`;
  if (meant === undefined) {
    missing(path, expected, reporter);
    return;
  }
  reporter.error([...path.slice(0, -1), meant], `${shown(meant)} is not known here, and ${key} is missing`, {
    spot: "key",
    expected: `${key}: ${expected}`,
    suggestion: key,
  });
}

function wantsList(issue: Issue): boolean {
  return issue.code === "invalid_type" && issue.expected === "array";
}

function reportValue(path: Path, input: unknown, allowed: readonly string[], reporter: Reporter): void {
  const suggestion = typeof input === "string" ? closest(input, allowed) : undefined;
  reporter.error(path, `${shown(input)} is not known here`, {
    expected: allowed.length === 1 ? allowed[0]! : `one of ${allowed.join(SEPARATOR)}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** What other versions of YAML and other tools take for booleans. */
const BOOLEANS: Readonly<Record<string, string>> = { yes: "true", on: "true", no: "false", off: "false" };

function suggestionFor(issue: Issue & { code: "invalid_type" }): string | undefined {
  if (wantsList(issue) && typeof issue.input !== "object") return `[${shown(issue.input)}]`;
  return issue.expected === "boolean" ? BOOLEANS[shown(issue.input).toLowerCase()] : undefined;
}

function reportType(issue: Issue & { code: "invalid_type" }, path: Path, reporter: Reporter): void {
  const expected = KINDS[issue.expected] ?? issue.expected;
  if (issue.input === undefined) missing(path, expected, reporter);
  else if (issue.input === null) {
    const mapping = issue.expected === "object" || issue.expected === "record";
    const suggestion = mapping && path.length > 0 ? { suggestion: "{}" } : {};
    reporter.error(path, nothing(path), { spot: "key", expected, ...suggestion });
  } else {
    const suggestion = suggestionFor(issue);
    reporter.error(path, `${shown(issue.input)} stands where ${expected} belongs`, {
      expected,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

function reportCustom(issue: Issue & { code: "custom" }, path: Path, reporter: Reporter): void {
  const { missing: isMissing, expected, suggestion } = mistakeParams.parse(issue.params ?? {});
  if (isMissing === true) {
    missing(path, expected, reporter);
    return;
  }
  const message = issue.input === null ? nothing(path) : issue.message;
  reporter.error(path, message, {
    ...(expected === undefined ? {} : { expected }),
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** Reports every issue; `base` is the path of the value that was parsed. */
export function reportIssues(issues: readonly Issue[], base: Path, reporter: Reporter): void {
  for (const issue of issues) {
    const path = [...base, ...issue.path.map((step) => (typeof step === "symbol" ? step.toString() : step))];
    if (issue.code === "unrecognized_keys") reportUnknownKeys(issue, path, reporter);
    else if (issue.code === "invalid_union") reportUnion(issue, path, reporter);
    else if (issue.code === "invalid_type") reportType(issue, path, reporter);
    else if (issue.code === "invalid_key") reportIssues(issue.issues, path, reporter);
    else if (issue.code === "custom") reportCustom(issue, path, reporter);
    else if (issue.code === "too_small")
      reporter.error(path, "this list is empty", { expected: "at least one entry" });
    else if (issue.code === "invalid_value" && issue.input !== undefined) {
      reportValue(path, issue.input, issue.values.map(String), reporter);
    } else if (issue.code === "invalid_value")
      missing(path, `one of ${listed(issue.values.map(String))}`, reporter);
    else reporter.error(path, issue.message);
  }
}
