import { PeerError } from "../base/index.ts";
import { wordAt } from "./words.ts";

/** Function 8: what the standard says of each sub-function (section 6.8.1). Those not listed are reserved. */
export interface Diagnostics {
  readonly name: string;
  /** A question only: nothing in the machine is other than before. */
  readonly reads: boolean;
  /** The reply repeats the request's data; otherwise it is one word of its own. */
  readonly echoes: boolean;
  /** Which words the request's data may be; null: any. */
  readonly allows: ((word: number) => boolean) | null;
}

const zero = (word: number): boolean => word === 0;
const counter = (name: string): Diagnostics => ({ name, reads: true, echoes: false, allows: zero });
const command = (name: string, allows: (word: number) => boolean): Diagnostics => ({
  name,
  reads: false,
  echoes: true,
  allows,
});

export const DIAGNOSTICS: ReadonlyMap<number, Diagnostics> = new Map([
  [0, { name: "Return Query Data", reads: true, echoes: true, allows: null }],
  [1, command("Restart Communications Option", (word) => word === 0x0000 || word === 0xff00)],
  [2, counter("Return Diagnostic Register")],
  [3, command("Change ASCII Input Delimiter", (word) => (word & 0xff) === 0)],
  [4, command("Force Listen Only Mode", zero)],
  [10, command("Clear Counters and Diagnostic Register", zero)],
  [11, counter("Return Bus Message Count")],
  [12, counter("Return Bus Communication Error Count")],
  [13, counter("Return Bus Exception Error Count")],
  [14, counter("Return Server Message Count")],
  [15, counter("Return Server No Response Count")],
  [16, counter("Return Server NAK Count")],
  [17, counter("Return Server Busy Count")],
  [18, counter("Return Bus Character Overrun Count")],
  [20, command("Clear Overrun Counter and Flag", zero)],
]);

/** What is wrong with a request's data, or null. Sub-function 0 takes any number of words, every other one exactly one. */
export function diagnosticsFault(subFunction: number, data: Uint8Array): PeerError | null {
  if (subFunction === 0 ? data.length % 2 !== 0 : data.length < 2) {
    return new PeerError(
      "truncated",
      `the data of diagnostics ${subFunction} is ${data.length} bytes, not whole words`,
    );
  }
  if (subFunction === 0) return null;
  if (data.length > 2) {
    return new PeerError(
      "trailing-bytes",
      `the data of diagnostics ${subFunction} is ${data.length} bytes instead of 2`,
    );
  }
  if (DIAGNOSTICS.get(subFunction)?.allows?.(wordAt(data, 0)) !== false) return null;
  return new PeerError(
    "reserved",
    `the data of diagnostics ${subFunction} is ${wordAt(data, 0)}, which it does not define`,
  );
}
