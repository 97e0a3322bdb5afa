import { UsageError, type Channel } from "../base/index.ts";
import { crlFetch, crlImport, outsideShow } from "../link/index.ts";
import { MAX_CRL_LENGTH } from "./crl-fetcher.ts";
import type { OutsideAuthorities } from "./outside.ts";

/** Bytes of a list in PEM, which is longer than its DER by a third and the ends of its lines. */
const MAX_IMPORT = Math.ceil((MAX_CRL_LENGTH * 4) / 3) + 4 * 1024 * 1024;

/** Answers one command's questions about outside authorities. Whoever may open the channel is an administrator. */
export function serveOutside(channel: Channel, outside: OutsideAuthorities): void {
  let parts: Buffer[] = [];
  let length = 0;
  channel.handle(outsideShow, () => outside.views());
  channel.handle(crlFetch, async ({ authority }) => {
    await outside.fetch(authority);
    return outside.views();
  });
  channel.handle(crlImport, async ({ part, last, by }) => {
    const bytes = Buffer.from(part, "base64");
    parts.push(bytes);
    length += bytes.length;
    if (length > MAX_IMPORT) {
      [parts, length] = [[], 0];
      throw new UsageError(
        "crl-too-large",
        `the revocation list has more than the ${MAX_IMPORT} bytes that are taken`,
      );
    }
    if (!last) return { taken: null };
    const whole = Buffer.concat(parts);
    [parts, length] = [[], 0];
    return { taken: await outside.importCrl(whole, by) };
  });
  channel.onClosed(() => {
    [parts, length] = [[], 0];
  });
}
