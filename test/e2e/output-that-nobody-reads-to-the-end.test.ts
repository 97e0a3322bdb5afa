import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

test("a command whose reader has enough ends quietly, as with head", async (t) => {
  const line = '"$0" "$1" --help | true; echo "${PIPESTATUS[0]}"';
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", line, process.execPath, MAIN]);
  t.is(stderr, "");
  t.is(stdout, "0\n");
});
