/**
 * A process for the supervisor's tests. It writes a line to a file when it starts and when it stops, and lives until SIGTERM
 * or the end of its standard input.
 *
 * usage: child.ts NAME FILE [crash | deaf]
 */
import { appendFileSync } from "node:fs";

const [, , name = "", file = "", how = ""] = process.argv;

function say(what: string): void {
  appendFileSync(file, `${name} ${what} ${process.pid}\n`);
}

process.on("SIGTERM", () => {
  say("told");
  // A little later, so that who is stopped too early is seen.
  if (how !== "deaf") setTimeout(() => stop("stopped"), 100);
});
process.stdin.once("close", () => stop("orphaned")).resume();
say("started");
if (how === "crash") process.exit(3);

function stop(what: string): void {
  say(what);
  process.exit(0);
}
