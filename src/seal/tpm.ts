/**
 * A secret sealed by a TPM 2.0: a keyed-hash object under a primary key of the owner hierarchy. The primary key is the same each
 * time it is made, from the TPM's own seed and the template below, so nothing is kept in the TPM and nothing wears out. Not bound to
 * PCRs: an update of firmware or kernel must not shut the authority out.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnavailableError } from "../base/index.ts";
import type { TpmEntry } from "./keyring-file.ts";
import { runTpm, type TpmTool } from "./tpm-tools.ts";

/** Said in full: tools of another version may have other defaults, and another template is another key. `noda`: wrong attempts by others cannot lock it out. */
const PRIMARY = [
  "--hierarchy=o",
  "--key-algorithm=ecc256:aes128cfb",
  "--hash-algorithm=sha256",
  "--attributes=fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt|noda",
  "--key-context=primary.ctx",
];
const OBJECT = [
  "--parent-context=primary.ctx",
  "--hash-algorithm=sha256",
  "--attributes=fixedtpm|fixedparent|userwithauth|noda",
  "--sealing-input=-",
  "--public=object.pub",
  "--private=object.priv",
];

type Run = (tool: TpmTool, args: readonly string[], input?: Uint8Array) => Promise<Buffer>;

/** `secret`: 1 to 128 bytes. Rejects with an UnavailableError where the TPM is away or refuses. */
export function sealByTpm(tcti: string, secret: Uint8Array): Promise<TpmEntry> {
  return inScratch(tcti, async (run, directory) => {
    const primary = await makePrimary(run, directory);
    await run("create", ["--quiet", ...OBJECT], secret);
    const [open, closed] = await Promise.all(
      ["object.pub", "object.priv"].map((name) => readFile(join(directory, name), "base64")),
    );
    return { version: 1, kind: "tpm", primary, public: open ?? "", private: closed ?? "" };
  });
}

/** Rejects with an UnavailableError where the TPM is away, is another one or was cleared, or where the sealed object was altered. */
export function openByTpm(tcti: string, entry: TpmEntry, path: string): Promise<Buffer> {
  return inScratch(tcti, async (run, directory) => {
    if ((await makePrimary(run, directory)) !== entry.primary) {
      throw new UnavailableError(
        "tpm-other",
        `${path} was sealed by another TPM than the one at ${tcti}, or that one was cleared since`,
        "Put the board back with its TPM, or restore the authority from its backup: niac authority import.",
      );
    }
    await writeFile(join(directory, "object.pub"), Buffer.from(entry.public, "base64"));
    await writeFile(join(directory, "object.priv"), Buffer.from(entry.private, "base64"));
    const from = ["--parent-context=primary.ctx", "--public=object.pub", "--private=object.priv"];
    await run("load", ["--quiet", ...from, "--key-context=object.ctx"]);
    return run("unseal", ["--object-context=object.ctx"]);
  });
}

/** The name of the key made: its hash algorithm and the hash of its public part, in hexadecimal digits. */
async function makePrimary(run: Run, directory: string): Promise<string> {
  await run("createprimary", ["--quiet", ...PRIMARY]);
  await run("readpublic", ["--quiet", "--object-context=primary.ctx", "--name=primary.name"]);
  return readFile(join(directory, "primary.name"), "hex");
}

/**
 * A directory of this user's own for the tools' files, gone afterwards. No file in it holds a secret in the clear: contexts and
 * objects are encrypted by the TPM. After each tool what it left in the TPM is let go of: without a resource manager there is room
 * for three objects.
 */
async function inScratch<T>(tcti: string, act: (run: Run, directory: string) => Promise<T>): Promise<T> {
  const memory = "/dev/shm";
  const directory = await mkdtemp(join(existsSync(memory) ? memory : tmpdir(), "niac-tpm-"));
  const run: Run = async (tool, args, input) => {
    try {
      return await runTpm(tcti, directory, tool, args, input);
    } finally {
      // Tidying up that fails must not hide what the tool did or why it failed.
      await runTpm(tcti, directory, "flushcontext", ["--transient-object"]).catch(() => undefined);
    }
  };
  try {
    return await act(run, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
