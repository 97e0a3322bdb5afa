/** Reads TAP from its standard input, and shows it as tap.ts says; closes with "N passed, N failed, N skipped". */
import { createInterface } from "node:readline";
import { TapReport } from "./tap.ts";

const report = new TapReport();
const show = (lines: readonly string[]): void => {
  for (const line of lines) console.log(line);
};
for await (const line of createInterface({ input: process.stdin })) show(report.line(line));
const { lines, exitCode } = report.verdict();
show(lines);
process.exitCode = exitCode;
