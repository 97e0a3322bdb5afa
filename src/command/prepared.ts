import { readFileSync } from "node:fs";
import { Argument, Command } from "commander";
import { PREPARED, preparedReport } from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

/** Characters of a report that travel. */
const LONGEST = 4_000;

/** `niac prepared-record settings refused <why`: the first boot's own word for the record (image/rootfs/usr/lib/niac/prepared). */
export function preparedRecordCommand(around: Surroundings): Command {
  return new Command("prepared-record")
    .description("put what came on the boot partition on record; why it was refused comes on standard input")
    .addArgument(new Argument("<what>").choices(PREPARED))
    .addArgument(new Argument("<outcome>").choices(["taken", "refused"]))
    .action(async (what: (typeof PREPARED)[number], outcome: "taken" | "refused") => {
      const text = outcome === "refused" ? readFileSync(0, "utf8").slice(0, LONGEST) : "";
      await ask(around, preparedReport, { what, outcome, text });
    });
}
