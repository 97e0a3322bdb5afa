/** What somebody prepared on the boot partition, as the box's scripts found it. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";

export const PREPARED = ["settings", "site"] as const;

/** For the record; what was refused needs a person's eye. `text`: why, in lines; empty where it was taken. */
export const preparedReport = defineCall(
  "prepared.report",
  z.strictObject({ what: z.enum(PREPARED), outcome: z.enum(["taken", "refused"]), text: z.string() }),
  z.null(),
);
