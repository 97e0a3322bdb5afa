import { UsageError } from "./errors.ts";

const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Text of a file that a person wrote, on whatever computer: UTF-8, with or without a byte order mark; the ends of its lines become `\n`.
 * `name`: the file's, for the message. Throws a UsageError for other encodings, which Windows' Notepad writes where it is told to.
 */
export function deskText(bytes: Uint8Array, name: string): string {
  const [first = 0, second = 0] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || bytes.includes(0)) {
    throw new UsageError(
      "file-encoding",
      `${name} is written in UTF-16 ("Unicode"), or is no text`,
      "Save it as UTF-8: in Notepad, Save as, Encoding, UTF-8.",
    );
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const own = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    return own.replaceAll(/\r\n?/g, "\n");
  } catch {
    throw new UsageError(
      "file-encoding",
      `${name} is not written in UTF-8 (an older encoding of Windows, for one)`,
      "Save it as UTF-8: in Notepad, Save as, Encoding, UTF-8.",
    );
  }
}
