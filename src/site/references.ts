/**
 * Names that must be declared, and names that must not stand twice. Looks at the plain values, not at what the schema made of
 * them, so that an unknown machine is reported beside a misspelt field and not only once that is mended.
 */
import type { Path, Reporter } from "./findings.ts";
import { shown } from "./scalar.ts";
import { closest, listed } from "./suggest.ts";

type Entry = readonly [path: Path, value: unknown];

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands at a path below a value, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (Array.isArray(at) && typeof step === "number") at = at[step];
    else if (isMapping(at) && Object.hasOwn(at, step)) at = at[step];
    else return undefined;
  }
  return at;
}

/** Entries of a mapping or list at a path; none where something else stands there. */
export function entriesAt(root: unknown, path: Path): readonly Entry[] {
  const value = valueAt(root, path);
  if (Array.isArray(value)) return value.map((entry: unknown, index) => [[...path, index], entry]);
  if (isMapping(value)) return Object.entries(value).map(([key, entry]) => [[...path, key], entry]);
  return [];
}

export function keysAt(root: unknown, path: Path): readonly string[] {
  const value = valueAt(root, path);
  return isMapping(value) ? Object.keys(value) : [];
}

/** Of a list; or one text alone, where that may stand instead (`all` machines may, and is checked elsewhere). */
function textsAt(root: unknown, path: Path): readonly (readonly [path: Path, text: string])[] {
  const alone = valueAt(root, path);
  if (typeof alone === "string" && path.at(-1) === "posture") return [[path, alone]];
  if (!Array.isArray(valueAt(root, path))) return [];
  return entriesAt(root, path).flatMap(([place, value]) =>
    typeof value === "string" ? [[place, value] as const] : [],
  );
}

/** What a kind of thing is called, and the names of it that the document declares. */
interface Declared {
  readonly what: string;
  readonly section: string;
  readonly known: ReadonlySet<string>;
}

function checkDeclared(
  root: unknown,
  path: Path,
  { what, section, known }: Declared,
  reporter: Reporter,
): void {
  for (const [place, text] of textsAt(root, path)) {
    if (known.has(text)) continue;
    const suggestion = reporter.full ? undefined : closest(text, known);
    reporter.error(place, `${what} ${shown(text)} is not declared`, {
      expected:
        known.size === 0
          ? `a ${what} declared under ${section}`
          : `a declared ${what}: ${listed([...known])}`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

/** A service must be offered by at least one of the machines the rule names. */
function checkServices(root: unknown, rule: Path, machines: ReadonlySet<string>, reporter: Reporter): void {
  const what = [...rule, "what"];
  const named = valueAt(root, [...what, "machines"]);
  const chosen =
    named === "all" ? [...machines] : textsAt(root, [...what, "machines"]).map(([, text]) => text);
  if (chosen.length === 0 || chosen.some((machine) => !machines.has(machine))) return;
  const offered = new Set(chosen.flatMap((machine) => keysAt(root, ["machines", machine, "services"])));
  for (const [place, text] of textsAt(root, [...what, "services"])) {
    if (offered.has(text)) continue;
    const suggestion = reporter.full ? undefined : closest(text, offered);
    reporter.error(place, `no machine of this rule has a service ${shown(text)}`, {
      expected:
        offered.size === 0
          ? "machines that have services"
          : `a service of ${listed(chosen)}: ${listed([...offered])}`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

/** Names in these lists are one space: a record names a rule, and must not mean two. */
function checkDoubles(root: unknown, sections: readonly string[], reporter: Reporter): void {
  const seen = new Map<string, Path>();
  for (const section of sections) {
    for (const [path] of entriesAt(root, [section])) {
      const place = [...path, "name"];
      const text = valueAt(root, place);
      if (typeof text !== "string") continue;
      const first = seen.get(text);
      if (first === undefined) seen.set(text, place);
      else
        reporter.error(place, `the name ${shown(text)} is taken by line ${reporter.line(first)}`, {
          expected: "a name of its own",
        });
    }
  }
}

/** Rules speak of `x/service`, where x is a machine or a destination. */
function checkDestinationNames(root: unknown, machines: ReadonlySet<string>, reporter: Reporter): void {
  for (const [path] of entriesAt(root, ["destinations"])) {
    const text = valueAt(root, [...path, "name"]);
    if (typeof text !== "string" || !machines.has(text)) continue;
    const line = reporter.line(["machines", text]);
    reporter.error([...path, "name"], `the name ${shown(text)} is taken by the machine on line ${line}`, {
      expected: "a name of its own",
    });
  }
}

function namesIn(root: unknown, section: string): ReadonlySet<string> {
  const names = entriesAt(root, [section]).map(([path]) => valueAt(root, [...path, "name"]));
  return new Set(names.filter((one) => typeof one === "string"));
}

export function checkReferences(root: unknown, reporter: Reporter): void {
  const machines = new Set(keysAt(root, ["machines"]));
  const groups: Declared = { what: "group", section: "groups", known: new Set(keysAt(root, ["groups"])) };
  const posture: Declared = {
    what: "posture",
    section: "posture",
    known: new Set(keysAt(root, ["posture"])),
  };
  const machine: Declared = { what: "machine", section: "machines", known: machines };
  const destination: Declared = {
    what: "destination",
    section: "destinations",
    known: namesIn(root, "destinations"),
  };
  const source: Declared = {
    what: "client",
    section: "unsafeUnauthenticated",
    known: namesIn(root, "unsafeUnauthenticated"),
  };
  for (const [person] of entriesAt(root, ["people"]))
    checkDeclared(root, [...person, "groups"], groups, reporter);
  for (const section of ["grants", "forbids", "unsafeUnauthenticated"]) {
    for (const [rule] of entriesAt(root, [section])) {
      checkDeclared(root, [...rule, "who", "groups"], groups, reporter);
      checkDeclared(root, [...rule, "what", "machines"], machine, reporter);
      checkServices(root, rule, machines, reporter);
    }
  }
  for (const [grant] of entriesAt(root, ["grants"]))
    checkDeclared(root, [...grant, "posture"], posture, reporter);
  for (const [authority] of entriesAt(root, ["trust", "authorities"]))
    checkDeclared(root, [...authority, "grace", "groups"], groups, reporter);
  for (const [forbid] of entriesAt(root, ["forbids"])) {
    checkDeclared(root, [...forbid, "who", "sources"], source, reporter);
    checkDeclared(root, [...forbid, "who", "machines"], machine, reporter);
    checkDeclared(root, [...forbid, "what", "destinations"], destination, reporter);
  }
  for (const [one] of entriesAt(root, ["destinations"])) {
    checkDeclared(root, [...one, "machines"], machine, reporter);
  }
  checkDoubles(root, ["grants", "forbids", "destinations", "unsafeUnauthenticated"], reporter);
  checkDestinationNames(root, machines, reporter);
}
