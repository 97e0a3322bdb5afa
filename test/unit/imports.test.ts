import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { z } from "zod";
import { NIAC_VERSION } from "../../src/base/index.ts";

/**
 * Who may import whom, each folder with its reason. `types` may be imported as types only: nothing of them is there at run
 * time. What is not listed is forbidden; src/main.ts alone, and its commands.ts, may import all.
 */
const ALLOWED: Readonly<Record<string, { may: readonly string[]; types?: readonly string[]; why: string }>> =
  {
    base: { may: [], why: "everything leans on it, so it leans on nothing" },
    settings: { may: ["base"], why: "a look-up in, one object out" },
    x509: {
      may: ["base"],
      why: "a codec of certificates, requests and lists knows nothing of whose they are",
    },
    modbus: { may: ["base"], why: "a codec knows nothing of who asks or why" },
    opcua: { may: ["base"], why: "a codec knows nothing of who asks or why" },
    audit: { may: ["base"], why: "the record outlives what is recorded in it, and must not depend on it" },
    site: { may: ["base"], why: "text in, snapshot out: pure" },
    identity: { may: ["base", "x509"], why: "what a certificate says does not depend on what is allowed" },
    policy: {
      may: ["base", "modbus"],
      types: ["identity", "site"],
      why: "decides from values alone; of modbus it needs operations and the names of functions, no framing and no connection",
    },
    machine: {
      may: ["base", "modbus", "opcua"],
      types: ["policy", "site"],
      why: "sends what a permit was made for; it can neither make a permit nor ask for one",
    },
    link: { may: ["base", "audit", "site"], why: "messages between processes are records and snapshots" },
    gateway: {
      may: ["base", "x509", "identity", "policy", "site", "modbus", "opcua", "machine", "link"],
      types: ["settings", "audit"],
      why: "parses hostile bytes: never the audit log's store, the authority's keys or the console",
    },
    control: {
      may: [
        "base",
        "audit",
        "site",
        "link",
        "x509",
        "identity",
        "policy",
        "seal",
        "est",
        "authority",
        "enrolment",
        "revocation",
        "appliance",
      ],
      types: ["settings"],
      why: "owns all state, the box's panel and lamps with it, and never touches a machine or a client's bytes",
    },
    command: {
      may: ["base", "audit", "site", "link", "settings"],
      why: "asks control over its socket, and owns nothing; a settings' file is checked where it lies",
    },
    native: { may: ["base"], why: "system calls, and nothing of what they are for" },
    isolation: {
      may: ["native", "base", "site", "link"],
      types: ["audit"],
      why: "is root: small, and told by snapshots alone, over its messages",
    },
    seal: { may: ["base"], types: ["settings"], why: "keys at rest: knows nothing of what they sign" },
    est: {
      may: ["base", "x509"],
      types: ["link"],
      why: "a laptop carries it: neither a database nor an authority's keys",
    },
    authority: {
      may: ["base", "x509", "identity", "link", "site", "seal", "est"],
      types: ["audit", "settings"],
      why: "keys stay apart from everything that parses a machine's or a client's requests",
    },
    enrolment: {
      may: ["base", "x509", "identity", "link", "site", "est", "authority"],
      types: ["audit", "settings", "seal"],
      why: "parses what strangers send over HTTPS: it asks the authority, and holds no key of it",
    },
    revocation: {
      may: ["base", "x509", "link", "site"],
      types: ["audit"],
      why: "what others revoked: needs neither the plant's authority nor its keys",
    },
    upstream: {
      may: ["base", "audit", "site", "identity"],
      why: "exports the record and takes policy, no more",
    },
    console: {
      may: ["base", "audit", "site", "policy", "authority"],
      why: "never machine: a page cannot write to a PLC",
    },
    laptop: {
      may: ["base", "x509", "est"],
      why: "runs on the engineer's computer, without the appliance's parts",
    },
    appliance: { may: ["base"], why: "the box as hardware knows no protocol" },
  };

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typesOnly: boolean;
}

/** Whose files are run, and not imported. */
const PROGRAMS: readonly string[] = ["laptop-main.ts", "main.ts"];

/** main.ts is in two files, of which the second is read in for people's commands alone. */
const WIRING: readonly string[] = ["main.ts", "commands.ts"];

const ROOT = fileURLToPath(new URL("../../src/", import.meta.url));

const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .toSorted();
const texts = new Map(files.map((file) => [file, readFileSync(`${ROOT}${file}`, "utf8")]));
const imports = [...texts].flatMap(([file, text]) => importsOf(file, text));

/** Every import and re-export of a file of niac's own, seen from src/. */
function importsOf(file: string, text: string): Import[] {
  const statement = /^(?:import|export)\s+(type\s+)?(?:[\w*{}\s,]*?\sfrom\s+)?"(\.[^"]+)"/gm;
  const dynamic = /\bimport\(\s*"(\.[^"]+)"\s*\)/g;
  const at = (path: string): string => posix.normalize(posix.join(posix.dirname(file), path));
  return [
    ...[...text.matchAll(statement)].map((match) => ({
      file,
      target: at(match[2] ?? ""),
      typesOnly: match[1] !== undefined,
    })),
    ...[...text.matchAll(dynamic)].map((match) => ({ file, target: at(match[1] ?? ""), typesOnly: false })),
  ];
}

function folderOf(file: string): string {
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : "";
}

function isIndex(file: string): boolean {
  return posix.basename(file) === "index.ts" && file.split("/").length === 2;
}

test("the imports of this test's own reading are found in every form", (t) => {
  const text = [
    'import { a } from "../base/index.ts";',
    'import type { B } from "../site/index.ts";',
    'import * as link from "../link/index.ts";',
    'import {\n  c,\n  type D,\n} from "./c.ts";',
    'export * from "./d.ts";',
    'export type { E } from "./e.ts";',
    'import "./f.ts";',
    'const late = await import("./g.ts");',
    'import { join } from "node:path";',
  ].join("\n");
  t.deepEqual(
    importsOf("gateway/x.ts", text).map(({ target, typesOnly }) => [target, typesOnly]),
    [
      ["base/index.ts", false],
      ["site/index.ts", true],
      ["link/index.ts", false],
      ["gateway/c.ts", false],
      ["gateway/d.ts", false],
      ["gateway/e.ts", true],
      ["gateway/f.ts", false],
      ["gateway/g.ts", false],
    ],
  );
  t.true(imports.length > 100, "and the source has many");
});

test("every relative import names a file that is there", (t) => {
  const missing = imports.filter(({ target }) => target.startsWith("..") || !texts.has(target));
  t.deepEqual(missing, []);
});

test("a folder imports only what it is allowed to", (t) => {
  const wrong: string[] = [];
  for (const { file, target, typesOnly } of imports) {
    const [from, to] = [folderOf(file), folderOf(target)];
    if (from === to || WIRING.includes(file)) continue;
    if (file === "laptop-main.ts" && (to === "laptop" || to === "base")) continue;
    const rule = ALLOWED[from];
    if (rule?.may.includes(to) || (typesOnly && rule?.types?.includes(to))) continue;
    const as = typesOnly ? "" : " other than as a type";
    wrong.push(`${file} imports ${target}${as}; ${from}: ${rule?.why ?? "it has no line in this test"}`);
  }
  t.deepEqual(wrong, []);
});

test("what a laptop carries leads to no part of the appliance's", (t) => {
  const carried = reached("laptop/index.ts").map(folderOf);
  t.deepEqual([...new Set(carried)].toSorted(), ["base", "est", "laptop", "x509"]);
});

/** Every file that is there at run time where `file` is. */
function reached(file: string): string[] {
  const found = new Set([file]);
  for (const each of found) {
    for (const { target } of imports.filter((one) => one.file === each && !one.typesOnly)) found.add(target);
  }
  return [...found];
}

test("of another folder only its index.ts is imported", (t) => {
  const inner = imports.filter(({ file, target }) => folderOf(file) !== folderOf(target) && !isIndex(target));
  t.deepEqual(
    inner.map(({ file, target }) => `${file} imports ${target}`),
    [],
  );
});

test("nobody imports main.ts, nor the laptop's", (t) => {
  t.deepEqual(
    imports.filter(({ target, file }) =>
      target === "commands.ts" ? file !== "main.ts" : PROGRAMS.includes(target),
    ),
    [],
  );
});

test("every folder has a line here, and an index.ts opened by a comment that says what it is for", (t) => {
  const folders = new Set(files.filter((file) => file.includes("/")).map(folderOf));
  for (const folder of folders) {
    t.true(folder in ALLOWED, `${folder} has no line in this test`);
    t.regex(texts.get(`${folder}/index.ts`) ?? "", /^\/\*\*[\s*]*[A-Za-z][^]*?\*\//, `${folder}/index.ts`);
  }
});

test("no modules import each other in a circle at run time, and no folders at all", (t) => {
  const modules = new Map<string, Set<string>>();
  const folders = new Map<string, Set<string>>();
  for (const { file, target, typesOnly } of imports) {
    if (!typesOnly) connect(modules, file, target);
    if (folderOf(file) !== folderOf(target)) connect(folders, folderOf(file), folderOf(target));
  }
  t.is(circle(modules), null);
  t.is(circle(folders), null);
  t.is(
    circle(
      new Map([
        ["a", new Set(["b"])],
        ["b", new Set(["c"])],
        ["c", new Set(["a"])],
      ]),
    ),
    "a > b > c > a",
  );
});

function connect(graph: Map<string, Set<string>>, from: string, to: string): void {
  graph.set(from, (graph.get(from) ?? new Set()).add(to));
}

/** The first circle found, in words; null where there is none. */
function circle(graph: ReadonlyMap<string, ReadonlySet<string>>): string | null {
  const done = new Set<string>();
  const walk = (node: string, path: string[]): string | null => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node].join(" > ");
    if (done.has(node)) return null;
    for (const next of graph.get(node) ?? []) {
      const found = walk(next, [...path, node]);
      if (found !== null) return found;
    }
    done.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const found = walk(node, []);
    if (found !== null) return found;
  }
  return null;
}

test("importing a module starts nothing: no timer, no socket, no file, no listener", async (t) => {
  const before = observable();
  for (const file of files) if (!PROGRAMS.includes(file)) await import(`../../src/${file}`);
  t.deepEqual(observable(), before);
});

/** What of this process a started thing would show in. */
function observable(): { resources: string[]; listeners: string[] } {
  return {
    resources: process.getActiveResourcesInfo().toSorted(),
    listeners: process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`),
  };
}

test("only the programs read the environment", (t) => {
  const readers = [...texts].filter(([, text]) =>
    /\bprocess\s*\.\s*env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process/.test(text),
  );
  t.deepEqual(
    readers.map(([file]) => file),
    PROGRAMS,
  );
});

test("version.ts says what package.json says", (t) => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  t.is(NIAC_VERSION, z.object({ version: z.string() }).parse(JSON.parse(text)).version);
});
