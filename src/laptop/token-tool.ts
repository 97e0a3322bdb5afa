/** What is asked of a token (TPM, smart card) through OpenSC's pkcs11-tool: keys made in it, and signatures. */
import { spawn } from "node:child_process";
import { printable, systemCode, UnavailableError, UsageError } from "../base/index.ts";
import type { TokenKey } from "./profile.ts";

const TOOL = "pkcs11-tool";
const PATIENCE = 120_000;
const MAX_WORDS = 300;

/** A token's key, and what is needed to use it. */
export interface TokenUse {
  readonly key: TokenKey;
  readonly pin: string;
  /** For the programs that are started. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Labels of the tokens that a module shows. */
export async function tokenLabels(module: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const out = await run(["--module", module, "--list-token-slots"], environment, "");
  return [...out.toString("utf8").matchAll(/^\s*token label\s*: (.+?)\s*$/gm)].map((match) => match[1] ?? "");
}

/** `kind`: pkcs11-tool's name of a key type, e.g. `EC:prime256v1`. */
export async function makeTokenKey(use: TokenUse, kind: string): Promise<void> {
  await run(
    [...login(use), "--keypairgen", "--key-type", kind, "--id", use.key.id, "--label", "niac"],
    withPin(use),
    "",
  );
}

/** DER of SubjectPublicKeyInfo. */
export function tokenPublicKey({ key, environment }: TokenUse): Promise<Buffer> {
  const what = ["--read-object", "--type", "pubkey", "--id", key.id];
  return run([...place(key), ...what], environment, "");
}

/** ECDSA over a hash; DER of ECDSA-Sig-Value (RFC 3279, section 2.2.3). */
export function tokenSignature(use: TokenUse, hash: Buffer): Promise<Buffer> {
  const how = ["--sign", "--mechanism", "ECDSA", "--signature-format", "openssl", "--id", use.key.id];
  return run([...login(use), ...how], withPin(use), hash);
}

/** For a key that no certificate will ever belong to. */
export async function deleteTokenKey(use: TokenUse): Promise<void> {
  for (const type of ["privkey", "pubkey"]) {
    await run([...login(use), "--delete-object", "--type", type, "--id", use.key.id], withPin(use), "");
  }
}

function place({ module, label }: TokenKey): string[] {
  return ["--module", module, "--token-label", label];
}

function login({ key }: TokenUse): string[] {
  return [...place(key), "--login", "--pin", "env:NIAC_TOKEN_PIN"];
}

/** Only this user's processes can see it there, as they could see the memory it comes from. */
function withPin({ environment, pin }: TokenUse): NodeJS.ProcessEnv {
  return { ...environment, NIAC_TOKEN_PIN: pin };
}

/** Its standard output. */
function run(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  input: Buffer | string,
): Promise<Buffer> {
  const child = spawn(TOOL, args, { env: environment });
  // Not spawn's own `timeout`: where there is no such program, that one keeps this process waiting for it.
  const late = setTimeout(() => child.kill(), PATIENCE);
  const out: Buffer[] = [];
  let words = "";
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  // Where the tool ends before it has read, its own words say why.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      clearTimeout(late);
      reject(noTool(TOOL, "opensc", systemCode(error)));
    });
    child.once("close", (code) => {
      clearTimeout(late);
      if (code === 0) resolve(Buffer.concat(out));
      else reject(tokenFailure(words));
    });
  });
}

export function noTool(tool: string, packaged: string, code: string): UsageError {
  return new UsageError(
    "token-tools",
    `${tool} cannot be run (${code}), and keys in a token need it`,
    `Install it (Debian: apt install ${packaged}), or enrol without --pkcs11: the key is then kept in a file.`,
  );
}

/** What went wrong with a token, from the words of pkcs11-tool or of OpenSSL's engine. */
export function tokenFailure(words: string): UsageError | UnavailableError {
  if (/CKR_PIN_|PIN incorrect|Login failed|PIN locked/i.test(words)) {
    return new UsageError(
      WRONG_PIN,
      "the token does not take the PIN",
      "Look before trying again: tokens lock themselves after a few wrong ones.",
    );
  }
  if (/invalid engine|could not load the shared library|no such engine/i.test(words)) {
    return noTool("OpenSSL's engine for PKCS#11", "libengine-pkcs11-openssl", "not installed");
  }
  if (/Failed to load pkcs11 module|sc_dlopen failed/i.test(words)) {
    return new UsageError(
      "token-module",
      "the PKCS#11 module cannot be loaded",
      "Look at the path given with --pkcs11.",
    );
  }
  if (/object not found|key was not found|no slot with/i.test(words)) {
    return new UnavailableError(
      "token-key",
      "the token is not there, or holds no such key",
      "Plug it in, or enrol anew: niac enroll ... --again",
    );
  }
  const line = words.split("\n").find((each) => /error|fail/i.test(each)) ?? words;
  return new UnavailableError("token", `the token failed: ${printable(line.trim()).slice(0, MAX_WORDS)}`);
}

/** The code of the error that must not be tried again by itself. */
export const WRONG_PIN = "token-pin-wrong";
