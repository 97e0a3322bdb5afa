import * as z from "zod";
import type { RecordDraft } from "../audit/index.ts";
import { parseSnapshot, type Snapshot } from "../site/index.ts";

/** Hands a value from outside to a parser that throws, so that its own message is what the reader sees. */
function parsed<T>(parse: (json: unknown) => T): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

export const snapshotSchema: z.ZodType<Snapshot> = parsed(parseSnapshot);
/** Only that it is a list: AuditLog.append checks each draft whole, and once is enough. */
export const draftsSchema = z.custom<readonly RecordDraft[]>((value) => Array.isArray(value));
