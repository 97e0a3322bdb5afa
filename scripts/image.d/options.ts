/** What is typed after scripts/image. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { NIAC_VERSION } from "../../src/base/index.ts";

export interface ImageOptions {
  readonly board: string;
  readonly version: string;
  readonly signing: { readonly certificate: string; readonly key: string; readonly keyring: string } | null;
  readonly anew: boolean;
  readonly locked: boolean;
  readonly updateLock: boolean;
  readonly level: number;
}

const HELP = `usage: scripts/image --board <board> [options]

Makes the appliance's image below build/image/<board>/: the whole disk for an SD card, a signed update bundle, a bill of materials
(CycloneDX) and the licences. As root on Debian; it installs the tools it needs.

  --board <board>         one of: {boards}
  --release <version>     the image's version (default {version}, the project's own)
  --signing-cert <file>   certificate that signs updates, PEM; with --signing-key and --signing-keyring
  --signing-key <key>     its key: a PEM file, or a PKCS#11 URI
  --signing-keyring <file>  the authorities that boxes with this image trust, PEM
                          (default for the three: a development authority, made once in build/image/keys)
  --locked                refuse packages that are not those of image/boards/<board>/packages.lock
  --update-lock           write the packages there are now into image/boards/<board>/packages.lock
  --anew                  ask Debian's mirror again, though the last answer is younger than 20 hours
  --fast                  pack less tightly, in less time: for tests
`;

/** Null: help was asked for, or what was typed is wrong; it is said on `say`. */
export function readOptions(
  args: readonly string[],
  root: string,
  say: (text: string) => void,
): ImageOptions | null {
  const boards = readdirSync(join(root, "image/boards")).toSorted();
  const help = HELP.replace("{boards}", boards.join(", ")).replace("{version}", NIAC_VERSION);
  const wrong = (why: string): null => {
    say(`scripts/image: ${why}\n\n${help}`);
    process.exitCode = 2;
    return null;
  };
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        board: { type: "string" },
        release: { type: "string" },
        "signing-cert": { type: "string" },
        "signing-key": { type: "string" },
        "signing-keyring": { type: "string" },
        locked: { type: "boolean", default: false },
        "update-lock": { type: "boolean", default: false },
        anew: { type: "boolean", default: false },
        fast: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (values.help) {
    say(help);
    return null;
  }
  const { board, release = NIAC_VERSION } = values;
  if (board === undefined || !boards.includes(board))
    return wrong(`--board takes one of ${boards.join(", ")}`);
  if (!/^\d{1,5}\.\d{1,5}\.\d{1,5}$/.test(release))
    return wrong(`--release takes a version like 0.2.0, not ${release}`);
  const given = [values["signing-cert"], values["signing-key"], values["signing-keyring"]];
  const [certificate, key, keyring] = given;
  const signing =
    certificate !== undefined && key !== undefined && keyring !== undefined
      ? { certificate, key, keyring }
      : null;
  if (signing === null && given.some((one) => one !== undefined))
    return wrong("--signing-cert, --signing-key and --signing-keyring go together");
  return {
    board,
    version: release,
    signing,
    anew: values.anew,
    locked: values.locked,
    updateLock: values["update-lock"],
    level: values.fast ? 3 : 15,
  };
}
