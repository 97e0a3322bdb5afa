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

/** Never overwrites anything, and leaves nothing where it cannot be written whole. */
export function writeNew(file: string, content: string | Uint8Array, mode: number): void {
  let fd: number;
  try {
    fd = openSync(file, "wx", mode);
  } catch (error) {
    const code = systemCode(error);
    const why = code === "EEXIST" ? "is there already, and is not overwritten" : `cannot be made (${code})`;
    throw new UsageError("file", `${file} ${why}`, "Name another file.");
  }
  try {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } catch (error) {
    rmSync(file, { force: true });
    throw new UsageError(
      "file",
      `${file} cannot be written (${systemCode(error)})`,
      "Free some space there.",
    );
  } finally {
    closeSync(fd);
  }
}

export function crlPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN X509 CRL-----", ...lines, "-----END X509 CRL-----"].join("\n");
}
