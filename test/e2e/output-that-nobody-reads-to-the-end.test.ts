import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { PROGRAM } from "../support/program.ts";

test("a command whose reader has enough ends quietly, as with head", async (t) => {
  const line = '"$0" "$1" --help | true; echo "${PIPESTATUS[0]}"';
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", line, process.execPath, PROGRAM]);
  t.is(stderr, "");
  t.is(stdout, "0\n");
});
