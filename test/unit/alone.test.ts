import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import { ALONE } from "./alone.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What sets something that every file of a process shares, each with a line that does. */
const SHARED: ReadonlyArray<readonly [pattern: RegExp, example: string]> = [
  [/\bprocess\.(umask|chdir|set[eu]?[gu]id)\(/, "process.umask(0)"],
  [/\bprocess\.(on|once|addListener|prependListener)\(/, 'process.on("SIGTERM", stop)'],
  [/\bprocess\.env(\.\w+|\[[^\]]+\]) \??=(?!=)/, 'process.env["TZ"] = "UTC"'],
  [/\bdelete process\.env\b/, 'delete process.env["TZ"]'],
  [/\bprocess\.\w+ =(?!=)/, "process.exitCode = 0"],
  [/\bmock\.(timers|method|module)\b/, "mock.timers.enable()"],
  [/^\s*(globalThis|performance|console|Date|Math)(\.\w+|\[[^\]]+\]) =(?!=)/m, "performance.now = () => 0"],
  [/\bconfigureGlobal\(/, "fc.configureGlobal({ numRuns: 10 })"],
  // Its addon belongs to the process.
  [/\bfrom "(serialport|[\w./]*\/serial-port\.ts)"/, 'import { SerialPort } from "serialport"'],
  [/\btest\.(before|after)(Each)?\b/, "test.before(() => {})"],
  [/^(const .* = |)await /m, 'const key = await made("p256")'],
];

test("each file that runs alone is there, and says what it sets", (t) => {
  for (const [file, sets] of Object.entries(ALONE)) {
    t.true(file.endsWith(".test.ts") && globSync(file, { cwd: ROOT }).length === 1, file);
    t.not(sets, "", file);
  }
});

test("a file that sets what its process shares runs alone", (t) => {
  const files = globSync("test/unit/**/*.ts", { cwd: ROOT }).filter(
    (file) => file !== "test/unit/alone.test.ts",
  );
  t.true(files.length > 200);
  const sets = files.filter((file) => {
    const text = readFileSync(`${ROOT}${file}`, "utf8");
    return SHARED.some(([pattern]) => pattern.test(text));
  });
  t.deepEqual(sets.toSorted(), Object.keys(ALONE).toSorted());
});

test("what sets something shared is told from what only reads it", (t) => {
  for (const [pattern, example] of SHARED) t.regex(example, pattern);
  for (const text of ['if (process.env["TZ"] === "UTC")', "process.exitCode === 0", "bed.time.now = 0"])
    for (const [pattern] of SHARED) t.notRegex(text, pattern);
});
