/** The keys that are given for signing, looked at before the work begins: what is wrong with them is said at once. */
import { existsSync, readFileSync } from "node:fs";
import type { SigningKeys } from "./keys.ts";
import { run } from "./tools.ts";

const TOKEN = "pkcs11:";

export function isInToken(key: string): boolean {
  return key.startsWith(TOKEN);
}

/**
 * Throws where a file is missing, the keyring is no public thing, the certificate is none that boxes with this keyring take, or the key is
 * another's. A key in a token is asked when it signs; its PIN stands in the environment, because all see what a command was given.
 */
export async function checkSigning({ keyring, certificate, key }: SigningKeys): Promise<void> {
  for (const file of [keyring, certificate, ...(isInToken(key) ? [] : [key])])
    if (!existsSync(file)) throw new Error(`${file}, for signing, is not there`);
  if (/pin-value/i.test(key))
    throw new Error(
      "the key's URI has the PIN in it, which everybody on this computer can read: give it as RAUC_PKCS11_PIN",
    );
  if (/PRIVATE KEY/.test(readFileSync(keyring, "utf8")))
    throw new Error(
      `${keyring} holds a private key, and would be in every image: a keyring is certificates alone`,
    );
  await run("openssl", ["verify", "-no-CApath", "-no-CAstore", "-CAfile", keyring, certificate]).catch(
    (error: unknown) => {
      throw new Error(`${certificate} is not signed by ${keyring}: ${said(error)}`, { cause: error });
    },
  );
  const usage = await run("openssl", ["x509", "-in", certificate, "-noout", "-ext", "extendedKeyUsage"]);
  if (!usage.includes("Code Signing"))
    throw new Error(
      `${certificate} is not for signing code (extendedKeyUsage=codeSigning), and boxes would refuse it`,
    );
  // A key with a passphrase is asked for it when it signs.
  if (isInToken(key) || readFileSync(key, "utf8").includes("ENCRYPTED")) return;
  const own = await run("openssl", ["pkey", "-in", key, "-pubout"]);
  if (own !== (await run("openssl", ["x509", "-in", certificate, "-noout", "-pubkey"])))
    throw new Error(`${key} is not the key of ${certificate}`);
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
