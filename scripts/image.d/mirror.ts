/** Which Debian mirror: the one that this computer's own apt uses, so that no host is named here. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const SUITE = "trixie";
/** Where a package may be taken from by name where the release's own does not work with the backports' kernel. */
export const TESTING = "forky";

export interface Mirror {
  readonly main: string;
  readonly security: string;
  /** Named by the caller, not apt's own: it may be an archive of what once was, whose dates have run out. */
  readonly given: boolean;
}

/** A line of apt's sources. An archive's dates run out; what is taken is signed all the same, and named by hash in packages.lock. */
export function sourceLine(mirror: Mirror, from: "main" | "security", suite: string, parts = "main"): string {
  const old = mirror.given || suite === TESTING;
  return `deb ${old ? "[check-valid-until=no] " : ""}${mirror[from]} ${suite} ${parts}\n`;
}

/** Throws where apt has no Debian source. NIAC_MIRROR and NIAC_SECURITY_MIRROR in the environment go before it. */
export function mirrorOf(env: NodeJS.ProcessEnv, apt = "/etc/apt"): Mirror {
  const uris = urisOf(sourceTexts(apt));
  const security = env["NIAC_SECURITY_MIRROR"] ?? uris.find((uri) => /\/debian-security\/?$/.test(uri));
  const main = env["NIAC_MIRROR"] ?? uris.find((uri) => /\/debian\/?$/.test(uri));
  if (main === undefined || security === undefined) {
    throw new Error(
      `no Debian mirror is known: ${apt} has no source that ends in /debian and /debian-security. Set NIAC_MIRROR and NIAC_SECURITY_MIRROR to their URLs.`,
    );
  }
  return { main, security, given: env["NIAC_MIRROR"] !== undefined };
}

/** apt's two forms: lines that begin with `deb`, and deb822's `URIs:`. */
export function urisOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    text.split("\n").flatMap((line) => {
      const [, words = ""] = /^(?:URIs:|deb\s+(?:\[[^\]]*\]\s*)?)\s*(.*)$/.exec(line) ?? [];
      return words.split(/\s+/).filter((word) => /^https?:\/\//.test(word));
    }),
  );
}

function sourceTexts(apt: string): string[] {
  const parts = join(apt, "sources.list.d");
  const files = readable(() => readdirSync(parts), []).map((name) => join(parts, name));
  return [join(apt, "sources.list"), ...files].map((file) => readable(() => readFileSync(file, "utf8"), ""));
}

function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
