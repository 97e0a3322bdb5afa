/**
 * Reads TAP, shows each file's tests as they end with the figures they tell, failures in full, and closes with "N passed, N failed, N skipped".
 * Exits with 1 where anything failed, or where nothing ran: a run without tests shows nothing.
 */
import { createInterface } from "node:readline";

let passed = 0;
let failed = 0;
const skipped: string[] = [];
let showing = false;

for await (const line of createInterface({ input: process.stdin })) {
  const result = /^(not )?ok \d+ - (.*)$/.exec(line);
  if (result) {
    const title = (result[2] ?? "").trim();
    showing = false;
    const skip = /^(.*?)\s*# SKIP(.*)$/.exec(title);
    if (skip) {
      skipped.push(skip[1] ?? title);
      console.log(`  skip  ${skip[1]}`);
    } else if (result[1]) {
      failed++;
      showing = true;
      console.log(`  FAIL  ${title}`);
    } else {
      passed++;
      console.log(`  ok    ${title}`);
    }
  } else if (/^# {3}\S/.test(line)) {
    console.log(`        ${line.slice(4)}`);
  } else if (showing || (line !== "" && !/^(TAP version|1\.\.|# |\s+(---|\.\.\.)$)/.test(line))) {
    if (!/^(TAP version|1\.\.|# (tests|pass|fail|skip))/.test(line)) console.log(line);
  }
}
if (skipped.length > 0) {
  console.log(`\nSkipped, each with its reason:`);
  for (const title of skipped) console.log(`  ${title}`);
}
console.log(`\n${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
