import { readFileSync } from "node:fs";
import { Command } from "commander";
import { deskText, printable, systemCode, UsageError } from "../base/index.ts";
import { checkSettingsFile } from "../settings/index.ts";
import type { Surroundings } from "./context.ts";

/** `niac settings check <file>`: what is wrong with a settings' file, before a box starts with it. */
export function settingsCommand(around: Surroundings): Command {
  const settings = new Command("settings").description("the appliance's own settings");
  settings
    .command("check <file>")
    .description("say what is wrong with a file of NAME=value lines, without using it")
    .option("--image", "it is for a box with niac's image, such as niac.conf on a card")
    .option("--print", "print it in its plain form, where nothing is wrong")
    .action((file: string, options: { image?: boolean; print?: boolean }) => {
      const { text, problems } = checkSettingsFile(read(file), { image: options.image ?? false });
      for (const { line, what } of problems)
        around.complain(printable(line === null ? what : `line ${line}: ${what}`));
      if (problems.length > 0) around.exit(1);
      else around.print(options.print === true ? text.trimEnd() : `${file} is good`);
    });
  return settings;
}

function read(file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UsageError("file", `${file} cannot be read (${systemCode(error)})`);
  }
  return deskText(bytes, file);
}
