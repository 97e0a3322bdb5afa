import { Command } from "commander";
import { UsageError } from "../base/index.ts";
import { authorityExport, authorityImport } from "../link/index.ts";
import { readText, writeMade } from "./authority-files.ts";
import { plantLines } from "./authority-show.ts";
import { ask, type Surroundings } from "./context.ts";

interface SecretOptions {
  readonly passphraseFile?: string;
}

const FILE = ["--passphrase-file <file>", "read the passphrase there; without: it is asked for"] as const;

export function exportCommand(around: Surroundings): Command {
  return new Command("export")
    .argument("<file>")
    .description("write the whole authority, keys and all, to a file under a passphrase")
    .option(...FILE)
    .action(async (file: string, options: SecretOptions) => {
      const passphrase = await newPassphrase(around, options);
      await writeMade(
        file,
        0o600,
        () => ask(around, authorityExport, { passphrase, by: around.user }),
        (backup) => backup.file,
      );
      around.print(`${file} holds the authority. Keep it and its passphrase in two places.`);
    });
}

export function importCommand(around: Surroundings): Command {
  return new Command("import")
    .argument("<file>")
    .description("restore an authority from such a file, on a box that has none")
    .option(...FILE)
    .action(async (file: string, options: SecretOptions) => {
      const text = readText(file);
      const passphrase = await oldPassphrase(around, options);
      const { made, plant } = await ask(around, authorityImport, { file: text, passphrase, by: around.user });
      for (const line of plantLines(plant)) around.print(line);
      const at = new Date(made).toISOString();
      around.complain(
        `The backup is of ${at}. Certificates issued after it are refused here and must be enrolled again;`,
      );
      around.complain(
        "what was revoked after it is in force again: revoke it again. Switch the old box off.",
      );
    });
}

async function newPassphrase(around: Surroundings, options: SecretOptions): Promise<string> {
  if (options.passphraseFile !== undefined) return fromFile(options.passphraseFile);
  const passphrase = await typed(around, "Passphrase for the backup (12 characters or more): ");
  if ((await typed(around, "The same again: ")) === passphrase) return passphrase;
  throw new UsageError("passphrase-twice", "the two passphrases are not the same", "Try again.");
}

function oldPassphrase(around: Surroundings, options: SecretOptions): Promise<string> | string {
  if (options.passphraseFile !== undefined) return fromFile(options.passphraseFile);
  return typed(around, "Passphrase of the backup: ");
}

/** Without the line's end that an editor puts there. */
function fromFile(path: string): string {
  return readText(path).replace(/\r?\n$/, "");
}

async function typed(around: Surroundings, question: string): Promise<string> {
  const answer = await around.secret(question);
  if (answer !== null) return answer;
  throw new UsageError(
    "passphrase",
    "there is no terminal to ask for the passphrase at",
    "Put it into a file that only you can read, and give that: --passphrase-file FILE.",
  );
}
