/**
 * A session of which nobody spoke, in a process of its own: it reads without a pause, and says on SIGTERM how long the slowest read took.
 *
 *     trust-other.ts PORT CERTIFICATE KEY CA    files are PEM; prints a line when it reads, at the end milliseconds
 */
import { readFileSync } from "node:fs";
import { openSessions, targetOf, transact } from "./load.ts";

/** Reads of which none counts: the compiler has its turn. */
const WARM_UP = 500;

const [port = "", ...files] = process.argv.slice(2);
const [cert = "", key = "", ca = ""] = files.map((file) => readFileSync(file, "utf8"));
const [session] = await openSessions(targetOf("niac", Number(port), { own: { cert, key }, ca }), 1);
if (session === undefined) throw new Error("no session");
await transact([session], WARM_UP, "read");

let slowest = 0;
session.use(
  "read",
  (microseconds) => {
    slowest = Math.max(slowest, microseconds / 1_000);
    session.send();
  },
  (error) => {
    throw new Error(`another session noticed: ${error.message}`, { cause: error });
  },
);
session.send();
process.once("SIGTERM", () => {
  process.stdout.write(`${slowest}\n`, () => process.exit(0));
});
process.stdout.write("ready\n");
