import type { PostureFacts } from "../link/index.ts";

/** A report in words, for the record. */
export function factsText({ diskEncryption, edr, os }: PostureFacts): string {
  return [
    os === null ? "operating system unknown" : `${os.name} ${os.version}`,
    `disk ${said(diskEncryption, "encrypted", "not encrypted")}`,
    `endpoint protection ${said(edr, "running", "not running")}`,
  ].join(", ");
}

function said(fact: boolean | null, yes: string, no: string): string {
  if (fact === null) return "unknown";
  return fact ? yes : no;
}
