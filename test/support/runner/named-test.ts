/**
 * Ava's test, as test files get it: titles begin with the file's path, so that a report knows where each belongs. In a group (group.ts) the
 * files share a process: their tests run one after the other, and what each file took is counted.
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { addShare, taken } from "./times.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const GROUPS = fileURLToPath(new URL("../../../build/test/groups/", import.meta.url));

/** Of an error's stack that are told. */
const PLACES = 4;

/** The file of a group that declares its tests now; null: this process has one file. */
let declaring: string | null = null;

/** What a group has declared and ava has not been told yet. */
const declared: Array<() => unknown> = [];

export function declareFor(file: string): void {
  declaring = file;
}

/** Tells ava all tests of a group at once: after the first it waits for no other file. */
export function declareAll(): void {
  for (const tell of declared.splice(0)) tell();
}

const HOOKS = new Set(["before", "after", "beforeEach", "afterEach"]);

/** `hook`: the name of the hook whose chain this is. */
function named(target: object, hook: string | null): unknown {
  return new Proxy(target, {
    apply(call, self, args) {
      if (typeof call !== "function") return undefined;
      const all = titled(args, hook);
      const tell = (): unknown => Reflect.apply(call, self, all);
      return declaring === null ? tell() : void declared.push(tell);
    },
    get(from, key, receiver) {
      const value: unknown = Reflect.get(from, key, receiver);
      if (typeof value !== "function" || key === "macro" || key === "meta") return value;
      return named(value, HOOKS.has(String(key)) ? String(key) : hook);
    },
  });
}

/** What ava is called with, its title with the file before it. */
function titled(args: unknown[], hook: string | null): unknown[] {
  const file = declaring ?? relative(ROOT, fileURLToPath(test.meta.file));
  if (declaring !== null && hook !== null)
    throw new Error(`${file} has a hook for its whole process: it belongs into test/unit/alone.ts`);
  const [first, implementation, ...more] = args;
  if (typeof first !== "string") return hook === null ? args : [`${file} › ${hook}`, ...args];
  return [`${file} › ${first}`, watched(file, implementation), ...more];
}

/** The implementation; where it fails it says at which places, and in a group its share of the process' time is counted. */
function watched(file: string, implementation: unknown): unknown {
  if (isMacro(implementation)) return { ...implementation, exec: watched(file, implementation.exec) };
  if (typeof implementation !== "function") return implementation;
  const shared = declaring !== null;
  return async (t: ExecutionContext, ...args: unknown[]): Promise<void> => {
    const before = shared ? taken() : null;
    try {
      await Reflect.apply(implementation, undefined, [t, ...args]);
    } catch (error) {
      // TAP has but the first line of a stack, which is ava's own.
      for (const place of placesOf(error)) t.log(`at ${place}`);
      throw error;
    } finally {
      if (before !== null) addShare(file, since(before));
    }
  };
}

function isMacro(value: unknown): value is { readonly exec: unknown } {
  return typeof value === "object" && value !== null && "exec" in value;
}

/** The project's own places in an error's stack, `path:line:column`, innermost first. */
function placesOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return [...stack.matchAll(/(?:file:\/\/)?(\/[^\s()]+\.ts:\d+:\d+)/g)]
    .flatMap(([, path]) => (path?.startsWith(ROOT) === true ? [path.slice(ROOT.length)] : []))
    .filter((path) => !path.startsWith("node_modules/") && !path.startsWith("test/support/runner/"))
    .slice(0, PLACES);
}

/** What this process took since then. */
export function since(before: ReturnType<typeof taken>): ReturnType<typeof taken> {
  const now = taken();
  return {
    wall: now.wall - before.wall,
    own: now.own - before.own,
    children: now.children - before.children,
  };
}

/** In a group one test at a time: no other file's test then stands between two steps of this one. */
const grouped = fileURLToPath(test.meta.file).startsWith(GROUPS);
const { serial, macro, meta } = test;
const chain = grouped ? Object.assign(serial, { serial, macro, meta }) : test;
export default named(chain, null);
