/**
 * Ava reads this in before each test file: the tests' `import test from "ava"` is led to named-test.ts, which puts the file's path before each
 * title; and what the process took is written down when it ends (NIAC_TEST_TIMES names the folder).
 */
import { registerHooks } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect, types } from "node:util";
import test from "ava";
import { writeTimesAtExit } from "./times.ts";

const TESTS = new URL("../../", import.meta.url).href;
const GROUPS = new URL("../../../build/test/groups/", import.meta.url).href;
const NAMED = new URL("named-test.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const from = context.parentURL ?? "";
    const ours = from.startsWith(TESTS) || from.startsWith(GROUPS);
    if (specifier === "ava" && ours && from !== NAMED) return { url: NAMED, shortCircuit: true };
    return next(specifier, context);
  },
});

const root = fileURLToPath(new URL("../../../", import.meta.url));
const file = relative(root, fileURLToPath(test.meta.file));

// Before ava, which takes a stack's first line for the title, and dies itself of an error without a stack, or with a property that is undefined.
process.prependListener("uncaughtException", (error: unknown) => {
  if (!types.isNativeError(error)) throw new Error(`${file}: uncaught: ${inspect(error)}`);
  error.stack = `${file} › ${inspect(error)}\n    at ${file}:0:0`;
  for (const name of Object.keys(error)) Reflect.deleteProperty(error, name);
});

writeTimesAtExit(process.env["NIAC_TEST_TIMES"], file);
