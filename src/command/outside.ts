import { readFileSync } from "node:fs";
import { Command } from "commander";
import { durationText, systemCode, table, UsageError } from "../base/index.ts";
import { crlFetch, crlImport, MAX_PART, outsideShow, type CrlView, type OutsideView } from "../link/index.ts";
import { ask, withControl, type Surroundings } from "./context.ts";

/** `niac crl ...`: revocation lists of other authorities, brought by hand where no network leads to them. */
export function crlCommand(around: Surroundings): Command {
  const crl = new Command("crl").description("revocation lists of other authorities");
  crl
    .command("show", { isDefault: true })
    .description("what is known of the revocation of other authorities' certificates")
    .action(async () => show(around, await ask(around, outsideShow, null)));
  crl
    .command("import <file>")
    .description("take a list from a file (DER or PEM), of an authority in the site document or one above it")
    .action((file: string) => bring(around, file));
  crl
    .command("fetch [authority]")
    .description("fetch lists now, of one authority or of all")
    .action(async (authority: string | undefined) => {
      const views = await ask(around, crlFetch, { authority: authority ?? null });
      show(around, views);
      if (views.some((view) => view.fetch?.problem != null && (authority ?? view.name) === view.name))
        around.exit(1);
    });
  return crl;
}

async function bring(around: Surroundings, file: string): Promise<void> {
  const text = read(file).toString("base64");
  const taken = await withControl(around, async (channel) => {
    for (let at = 0; ; at += MAX_PART) {
      const last = at + MAX_PART >= text.length;
      const part = text.slice(at, at + MAX_PART);
      const answer = await channel.call(crlImport, { part, last, by: around.user });
      if (last) return answer.taken;
    }
  });
  if (taken === null) return;
  const { list, delta, same } = taken;
  const what = `${delta ? "changes to the list" : "the list"} of ${list.of}, number ${list.number ?? "none"}`;
  around.print(
    same
      ? `${what} was held already`
      : `${what}: ${list.entries} revoked, good until ${dateText(list.nextUpdate)}`,
  );
}

function read(file: string): Buffer {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new UsageError("file", `${file} cannot be read (${systemCode(error)})`);
  }
}

function show(around: Surroundings, views: readonly OutsideView[]): void {
  for (const line of outsideLines(views, Date.now())) around.print(line);
}

/** `now`: milliseconds since the epoch. */
export function outsideLines(views: readonly OutsideView[], now: number): string[] {
  if (views.length === 0) return ["The site document names no outside authorities."];
  const rows = views.flatMap((view) => rowsOf(view, now));
  const header = ["AUTHORITY", "CHECKED BY", "LIST OF", "NUMBER", "REVOKED", "GOOD UNTIL", "LAST HEARD"];
  const words = views.flatMap(({ name, trouble, weakening, grace }) => [
    ...(trouble === null ? [] : [`${name}: ${trouble}`]),
    ...(weakening === null ? [] : [`${name}: ${weakening}`]),
    ...(grace === null ? [] : [`${name}: the grace ${grace}`]),
  ]);
  return [...table(header, rows), ...(words.length === 0 ? [] : ["", ...words])];
}

function rowsOf(view: OutsideView, now: number): string[][] {
  const { name, revocation, lists, responder } = view;
  const checked = revocation === "unchecked" ? "nothing" : revocation;
  const heard = responder?.answered ?? view.fetch?.at ?? null;
  if (lists.length === 0)
    return [[name, checked, "-", "-", "-", "-", heard === null ? "never" : agoText(heard, now)]];
  return lists.map((list, at) => [at === 0 ? name : "", at === 0 ? checked : "", ...listCells(list, now)]);
}

function listCells(
  { of, number, entries, changes, nextUpdate, received, by }: CrlView,
  now: number,
): string[] {
  const count = changes === 0 ? String(entries) : `${entries}, ${changes} changes`;
  return [of, number ?? "none", count, dateText(nextUpdate), `${agoText(received, now)}, ${by}`];
}

function agoText(time: number, now: number): string {
  return `${durationText(now - time)} ago`;
}

/** `2026-03-01 12:00 UTC`. */
function dateText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
