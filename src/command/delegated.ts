/** `niac authority init --delegated`: the site's own authority in place of the plant's. */
import { readFileSync } from "node:fs";
import { printable, systemCode, UsageError } from "../base/index.ts";
import { delegatedInit, type DelegatedView } from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

export interface DelegatedOptions {
  /** Files: PEM of the authority's root; the enrolment code. */
  readonly ca?: string;
  readonly fingerprint?: string;
  readonly user?: string;
  readonly codeFile?: string;
}

const USE =
  "niac authority init --delegated URL (--ca FILE | --fingerprint SHA256) --user NAME --code-file FILE";

/** Enrols the appliance at `url` and says how it stands. Throws a UsageError for options that do not go together. */
export async function initDelegated(
  around: Surroundings,
  url: string,
  options: DelegatedOptions,
): Promise<void> {
  const { ca, fingerprint, user, codeFile } = options;
  if ((ca === undefined) === (fingerprint === undefined))
    throw new UsageError(
      "delegated-trust",
      "say how to know the authority: either --ca or --fingerprint",
      USE,
    );
  if (user === undefined || codeFile === undefined)
    throw new UsageError(
      "delegated-user",
      "say who this appliance is to the authority: --user and --code-file",
      USE,
    );
  const code = read(codeFile).trim();
  if (code === "") throw new UsageError("delegated-code", `${codeFile} is empty, and should hold the code`);
  const trust = ca === undefined ? { fingerprint: fingerprint ?? "" } : { ca: read(ca) };
  const view = await ask(around, delegatedInit, { url, trust, user, code, by: around.user });
  for (const line of delegatedLines(view)) around.print(line);
}

/** For `niac authority show`. */
export function delegatedLines({ url, name, notAfter, problem, fingerprint }: DelegatedView): string[] {
  const state =
    notAfter === null
      ? "waits for approval there"
      : `good until ${new Date(notAfter).toISOString()}, renewed by itself`;
  return [
    `authority    the site's own, ${url}`,
    `this box     ${name}, ${state}`,
    `root         ${fingerprint} (SHA-256)`,
    "revocation   as the authorities of the site document say: their lists and responders",
    ...(problem === null ? [] : [`problem      ${problem}`]),
  ].map(printable);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError("file", `${path} cannot be read (${systemCode(error)})`);
  }
}
