/** Files that commands about certificates read and write. */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { systemCode, UsageError } from "../base/index.ts";

/** `-`: standard input. */
export function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UsageError("file", `${file} cannot be read (${systemCode(error)})`);
  }
}

/** A file that was not there before; what is to be in it is still to come. */
export interface NewFile {
  /** Leaves nothing where it cannot be written whole. */
  write(content: string | Uint8Array): void;
  /** It will not be needed. */
  remove(): void;
}

/**
 * Opened before something is asked for that cannot be taken back, so that it does not get lost for want of a place. Throws a UsageError;
 * nothing is ever overwritten.
 */
export function openNew(file: string, mode: number): NewFile {
  let fd: number;
  try {
    fd = openSync(file, "wx", mode);
  } catch (error) {
    const code = systemCode(error);
    const why = code === "EEXIST" ? "is there already, and is not overwritten" : `cannot be made (${code})`;
    throw new UsageError("file", `${file} ${why}`, "Name another file.");
  }
  const remove = (): void => {
    closeSync(fd);
    rmSync(file, { force: true });
  };
  return {
    remove,
    write(content) {
      try {
        const bytes = Buffer.from(content);
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
        fsyncSync(fd);
        closeSync(fd);
      } catch (error) {
        remove();
        throw new UsageError(
          "file",
          `${file} cannot be written (${systemCode(error)})`,
          "Free some space there.",
        );
      }
    },
  };
}

/** Writes what `make` resolves with; where it rejects, there is no file. */
export async function writeMade<T>(
  file: string,
  mode: number,
  make: () => Promise<T>,
  contentOf: (made: T) => string | Uint8Array,
): Promise<T> {
  const opened = openNew(file, mode);
  let made: T;
  try {
    made = await make();
  } catch (error) {
    opened.remove();
    throw error;
  }
  opened.write(contentOf(made));
  return made;
}

export function crlPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN X509 CRL-----", ...lines, "-----END X509 CRL-----"].join("\n");
}
