import { readFileSync } from "node:fs";
import { UsageError } from "../base/index.ts";

/** A user of this computer, by name. Throws a UsageError where there is none. */
export function userNamed(
  name: string,
  file = "/etc/passwd",
): { readonly uid: number; readonly gid: number } {
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [user, , uid, gid] = line.split(":");
    if (user === name && /^\d+$/.test(uid ?? "") && /^\d+$/.test(gid ?? "")) {
      return { uid: Number(uid), gid: Number(gid) };
    }
  }
  throw new UsageError(
    "no-user",
    `there is no user ${name} on this computer`,
    "Create it, or set NIAC_GATEWAY_USER to another.",
  );
}
