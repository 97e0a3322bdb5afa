/** What happens on the serial console, on record: its shell is root's, and asks nobody for a password. */
import type { AuditLog } from "../audit/index.ts";
import type { Channel, Clock } from "../base/index.ts";
import { consoleShell } from "../link/index.ts";
import { boxDraft } from "./panel.ts";

const WHY = {
  jumper: "the jumper on the board is set",
  setting: "the settings' file says NIAC_CONSOLE=serial",
} as const;

export function serveConsole(channel: Channel, audit: Pick<AuditLog, "append">, clock: Clock): void {
  channel.handle(consoleShell, async ({ state, why }) => {
    const text = `a root shell on the serial console was ${state}: ${WHY[why]}`;
    await audit.append([boxDraft(clock.now(), "console-shell", text, { state, why })], "now");
    return null;
  });
}
