import { readFileSync } from "node:fs";
import { Command } from "commander";
import { deskText, systemCode, UsageError, table } from "../base/index.ts";
import { siteApply, siteHistory, siteRollback, siteShow, type SiteVersion } from "../link/index.ts";
import {
  diffSites,
  formatChange,
  formatFinding,
  jsonSchema,
  parseSite,
  type Snapshot,
} from "../site/index.ts";
import { ask, type Surroundings } from "./context.ts";

/** `niac site ...`: the site document, from checking a file to going back to an earlier version. */
export function siteCommand(around: Surroundings): Command {
  const site = new Command("site").description("the site document: machines, people, grants, destinations");
  site
    .command("check <file>")
    .description("say what is wrong with a document, without applying it")
    .action((file: string) => check(around, file));
  site
    .command("apply <file>")
    .description("check a document and put it in force")
    .option("--note <text>", "why, for the history", "")
    .option("--first", "only where none was applied yet")
    .action((file: string, options: { note: string; first?: boolean }) => apply(around, file, options));
  site
    .command("show [version]")
    .description("print the document in force, or an earlier version")
    .action((version: string | undefined) => show(around, version));
  site
    .command("diff <file>")
    .description("what would change if this document were applied")
    .action((file: string) => diff(around, file));
  site
    .command("history")
    .description("every version, newest first")
    .action(() => history(around));
  site
    .command("rollback <version>")
    .description("put an earlier version in force again, as a new one")
    .action((version: string) => rollback(around, version));
  site
    .command("schema")
    .description("print the JSON Schema of the document, for an editor to complete it")
    .action(() => around.print(JSON.stringify(jsonSchema(), null, 2)));
  return site;
}

function read(file: string): string {
  try {
    return deskText(readFileSync(file === "-" ? 0 : file), file);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError("file", `${file} cannot be read (${systemCode(error)})`);
  }
}

function parsed(around: Surroundings, text: string, file: string): Snapshot | null {
  const { snapshot, findings } = parseSite(text, file);
  for (const finding of findings) around.complain(formatFinding(finding, file, text));
  if (!snapshot) around.exit(1);
  return snapshot;
}

function check(around: Surroundings, file: string): void {
  const snapshot = parsed(around, read(file), file);
  if (!snapshot) return;
  const { machines, grants, forbids, destinations } = snapshot;
  const counts = [
    counted(machines.length, "machine"),
    counted(grants.length, "grant"),
    counted(forbids.length, "forbid"),
    counted(destinations.length, "destination"),
  ];
  around.print(`${file} is good: ${counts.join(", ")}`);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

async function apply(
  around: Surroundings,
  file: string,
  { note, first = false }: { note: string; first?: boolean },
): Promise<void> {
  const { applied, report } = await ask(around, siteApply, {
    text: read(file),
    fileName: file,
    by: around.user,
    note,
    first,
  });
  tell(around, applied, report);
}

async function rollback(around: Surroundings, version: string): Promise<void> {
  const { applied, report } = await ask(around, siteRollback, { version: number(version), by: around.user });
  tell(around, applied, report);
}

function tell(around: Surroundings, applied: SiteVersion | null, report: readonly string[]): void {
  for (const line of report) around.complain(line);
  if (applied) {
    around.print(`version ${applied.version} is in force`);
    return;
  }
  around.complain("Nothing was changed: the document has errors.");
  around.exit(1);
}

async function show(around: Surroundings, version: string | undefined): Promise<void> {
  const { text } = await ask(around, siteShow, { version: version === undefined ? null : number(version) });
  around.print(text.trimEnd());
}

async function diff(around: Surroundings, file: string): Promise<void> {
  const next = parsed(around, read(file), file);
  if (!next) return;
  const versions = await ask(around, siteHistory, null);
  const current = versions.length === 0 ? null : await ask(around, siteShow, { version: null });
  const before = current ? parseSite(current.text, `version ${current.version.version}`).snapshot : null;
  const changes = diffSites(before, next);
  if (changes.length === 0) around.print("No difference.");
  for (const change of changes) around.print(formatChange(change));
}

async function history(around: Surroundings): Promise<void> {
  const versions = await ask(around, siteHistory, null);
  const rows = versions.map(({ version, appliedAt, appliedBy, hash, note }) => [
    String(version),
    new Date(appliedAt).toISOString().replace(/\.\d+Z$/, "Z"),
    appliedBy,
    hash.slice(0, 12),
    note,
  ]);
  if (rows.length === 0) around.print("No site document was applied yet.");
  else for (const line of table(["VERSION", "APPLIED", "BY", "SHA-256", "NOTE"], rows)) around.print(line);
}

function number(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(
    "version",
    `"${text}" is no version`,
    "Versions are whole numbers; see `niac site history`.",
  );
}
