/** The process that owns all state: the site document's versions and the audit log, in one SQLite database. Answers the gateway and commands. */
export { runControl } from "./run.ts";
