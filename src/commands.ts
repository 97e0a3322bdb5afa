/** The commands that people type, beside the processes in main.ts: their surroundings are wired here. */
import { userInfo } from "node:os";
import type { Command } from "commander";
import * as commands from "./command/index.ts";
import { laptopCommands, thisComputer } from "./laptop/index.ts";

type Lookup = (name: string) => string | undefined;

/** `file`: the URL of the program itself, which it names where a computer is to start it. */
export function addCommands(
  program: Command,
  lookup: () => Lookup,
  environment: NodeJS.ProcessEnv,
  file: string,
): void {
  const computer = thisComputer((name) => lookup()(name), environment, file);
  const around = surroundings(lookup, environment, computer);
  program.addCommand(commands.statusCommand(around));
  program.addCommand(commands.siteCommand(around));
  program.addCommand(commands.sessionsCommand(around));
  program.addCommand(commands.flowsCommand(around));
  program.addCommand(commands.discoverCommand(around));
  program.addCommand(commands.endCommand(around));
  program.addCommand(commands.lockCommand(around));
  program.addCommand(commands.unlockCommand(around));
  program.addCommand(commands.locksCommand(around));
  program.addCommand(commands.clockCommand(around));
  program.addCommand(commands.panelCommand(around));
  program.addCommand(commands.authorityCommand(around));
  program.addCommand(commands.enrolmentCommand(around));
  program.addCommand(commands.crlCommand(around));
  program.addCommand(commands.auditCommand(around));
  program.addCommand(commands.updateCommand(around));
  program.addCommand(commands.claimCommand(around));
  program.addCommand(commands.settingsCommand(around));
  program.addCommand(commands.consoleRecordCommand(around), { hidden: true });
  program.addCommand(commands.preparedRecordCommand(around), { hidden: true });
  for (const command of laptopCommands(computer)) program.addCommand(command);
}

function surroundings(
  lookup: () => Lookup,
  environment: NodeJS.ProcessEnv,
  computer: ReturnType<typeof thisComputer>,
): commands.Surroundings {
  return {
    print: (line) => process.stdout.write(`${line}\n`),
    complain: (line) => process.stderr.write(`${line}\n`),
    ...(process.stdout.isTTY
      ? { redraw: (line: string) => void process.stdout.write(`\r\x1b[2K${line}`) }
      : {}),
    color: process.stdout.isTTY && environment["NO_COLOR"] === undefined,
    // Into a pipe or a file goes everything, a record a line.
    // A serial console does not know its width, and says 0.
    width: process.stdout.columns || Infinity,
    user: userInfo().username,
    runDir: () => lookup()("NIAC_RUN_DIR") ?? "/run/niac",
    exit: (code) => {
      process.exitCode = code;
    },
    secret: (question) => computer.ask(question, true),
    interrupted: () => new Promise((resolve) => process.once("SIGINT", () => resolve())),
  };
}
