import { readFileSync } from "node:fs";
import { Command } from "commander";
import { systemCode, UsageError } from "../base/index.ts";
import { claimRenew, claimShow, claimVerify, type Claim } from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

interface Form {
  readonly json?: boolean;
}

/** `niac claim ...`: what a box's label says, and whether somebody has read it. */
export function claimCommand(around: Surroundings): Command {
  const claim = new Command("claim").description(
    "the box's identity, and the code that shows who has the box",
  );
  const json = ["--json", "for the label: origin, claimCode, fingerprint, words"] as const;
  claim
    .command("show")
    .description("print them; on record")
    .option(...json)
    .action(async (form: Form) => tell(around, await ask(around, claimShow, { by: around.user }), form));
  claim
    .command("renew")
    .description("make another code, with which the label's is good no more; on record")
    .option(...json)
    .action(async (form: Form) => tell(around, await ask(around, claimRenew, { by: around.user }), form));
  claim
    .command("verify [file]")
    .description(
      "say whether a code is this box's: from a file, or standard input and no argument, which others could read; on record",
    )
    .action(async (file: string | undefined) => {
      const code = read(file).trim();
      if (code === "")
        throw new UsageError("claim-form", `no claim code stands in ${file ?? "standard input"}`);
      const { right } = await ask(around, claimVerify, { code: code.slice(0, 128), by: around.user });
      if (right) around.print("It is this box's.");
      else {
        around.complain("It is not this box's.");
        around.exit(1);
      }
    });
  return claim;
}

function read(file: string | undefined): string {
  try {
    return readFileSync(file ?? 0, "latin1");
  } catch (error) {
    throw new UsageError("file", `${file ?? "standard input"} cannot be read (${systemCode(error)})`);
  }
}

function tell(around: Surroundings, claim: Claim, form: Form): void {
  const { origin, claimCode, fingerprint, words, made } = claim;
  if (form.json === true) {
    around.print(JSON.stringify({ origin, claimCode, fingerprint, words }));
    return;
  }
  around.print(`appliance    ${origin}`);
  around.print(`identity     ${words}`);
  around.print(`fingerprint  ${fingerprint}`);
  around.print(`claim code   ${claimCode}  (made ${new Date(made).toISOString()})`);
}
