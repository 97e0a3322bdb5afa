/** What is typed after scripts/image. */
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { NIAC_VERSION } from "../../src/base/index.ts";
import { isInToken } from "./signing.ts";

export interface ImageOptions {
  readonly board: string;
  readonly version: string;
  readonly signing: { readonly certificate: string; readonly key: string; readonly keyring: string } | null;
  readonly anew: boolean;
  readonly locked: boolean;
  readonly updateLock: boolean;
  /** Folder of what is made. */
  readonly out: string;
  readonly level: number;
}

const HELP = `usage: scripts/image --board <board> [options]

Makes the appliance's image below build/image/<board>/: the whole disk for an SD card, a signed update bundle, a bill of materials
(CycloneDX) and the licences. As root on Debian; it installs the tools it needs.

  --board <board>         one of: {boards}
  --release <version>     the image's version (default {version}, the project's own)
  --signing-cert <file>   certificate that signs updates, PEM; with --signing-key and --signing-keyring
  --signing-key <key>     its key: a PEM file, or a PKCS#11 URI with RAUC_PKCS11_MODULE and RAUC_PKCS11_PIN in the environment
  --signing-keyring <file>  the authorities that boxes with this image trust, PEM
                          (default for the three: a development authority, made once in build/image/keys)
  --out <folder>          where to, instead of build/image/<board>
  --locked                refuse packages that are not those of image/boards/<board>/packages.lock. Those that were ever downloaded here are
                          kept: where all are there, the mirror is not asked
  --update-lock           write the packages there are now into image/boards/<board>/packages.lock
  --anew                  ask Debian's mirror again, though the last answer is younger than 20 hours
  --fast                  pack less tightly, in less time: for tests

In the environment:
  NIAC_MIRROR, NIAC_SECURITY_MIRROR  Debian's mirror and its security mirror (default: those of this computer's apt). An archive of a day
                          that is past brings the packages of an old packages.lock
  NIAC_CACHE              folder in which this user's checkouts share what they download (default: $XDG_CACHE_HOME/niac or ~/.cache/niac);
                          none: they do not
  SOURCE_DATE_EPOCH       the image's date, seconds since 1970 (default: the commit's)
`;

/**
 * `root`: the project's folder; `from`: where the command was typed, to which its paths belong. Null: help was asked for, or what was typed is
 * wrong; it is said on `say`.
 */
export function readOptions(
  args: readonly string[],
  { root, from }: { readonly root: string; readonly from: string },
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
        out: { type: "string" },
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
  if (values.locked && values["update-lock"])
    return wrong("--locked takes the lock file as it is, and --update-lock writes it: one of the two");
  const given = [values["signing-cert"], values["signing-key"], values["signing-keyring"]];
  const [certificate, key, keyring] = given;
  const signing =
    certificate !== undefined && key !== undefined && keyring !== undefined
      ? {
          certificate: resolve(from, certificate),
          key: isInToken(key) ? key : resolve(from, key),
          keyring: resolve(from, keyring),
        }
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
    out: values.out === undefined ? join(root, "build/image", board) : resolve(from, values.out),
    level: values.fast ? 3 : 15,
  };
}
