import { readFileSync } from "node:fs";
import { systemCode, UsageError } from "../base/index.ts";
import type { EnrollOptions } from "./enroll-options.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

const MAX_CODE = 256;

/**
 * The one-time code: from the file, else NIAC_CODE, else asked for where a user is named. Null: there is none, and the request
 * waits for approval. Errors never show it.
 */
export async function readCode(
  { codeFile, user }: Pick<EnrollOptions, "codeFile" | "user">,
  around: Pick<LaptopSurroundings, "ask" | "lookup">,
): Promise<string | null> {
  if (codeFile !== null) return checked(fromFile(codeFile), `the file ${codeFile}`);
  const given = around.lookup("NIAC_CODE");
  if (given !== undefined) return checked(given, "NIAC_CODE");
  if (user === null) return null;
  const typed = await around.ask("One-time code (leave empty to wait for approval): ", true);
  return typed === null || typed.trim() === "" ? null : checked(typed, "what was typed");
}

function fromFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError("file", `--code-file: ${path} cannot be read (${systemCode(error)})`);
  }
}

function checked(text: string, where: string): string {
  const code = text.trim();
  if (code !== "" && code.length <= MAX_CODE && /^[\x21-\x7e]+$/.test(code)) return code;
  throw new UsageError(
    "code",
    `${where} is no one-time code: it takes one line of 1 to ${MAX_CODE} letters, digits and hyphens`,
  );
}
