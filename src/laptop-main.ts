#!/usr/bin/env node
/** The laptop's program: what scripts/laptop-bundle makes one file of. The appliance's program, main.ts, has the same commands. */
import { Command, CommanderError } from "commander";
import { BugError, messageOf, NIAC_VERSION, NiacError, UsageError } from "./base/index.ts";
import { laptopCommands, thisComputer } from "./laptop/index.ts";

const EX_WRONG = 2;

await main();

async function main(): Promise<void> {
  const program = new Command("niac")
    .description(
      "the engineer's side of a Network Isolation Access Controller: certificates, and ports to machines",
    )
    .version(NIAC_VERSION);
  const around = thisComputer((name) => process.env[name], process.env, import.meta.url);
  for (const command of laptopCommands(around)) program.addCommand(command);
  for (const each of [program, ...program.commands]) each.exitOverride().showHelpAfterError();
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : EX_WRONG;
      return;
    }
    if (error instanceof BugError || !(error instanceof NiacError)) {
      around.complain("niac itself failed; please report this:");
      around.complain(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
    } else {
      around.complain(error.message);
      if (error.advice !== undefined) around.complain(error.advice);
    }
    process.exitCode = error instanceof UsageError ? EX_WRONG : 1;
  }
}
