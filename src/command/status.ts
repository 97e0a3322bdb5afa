import { Command } from "commander";
import { table } from "../base/index.ts";
import { statusShow } from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

/** `niac status`: is it working, and what is not. */
export function statusCommand(around: Surroundings): Command {
  return new Command("status")
    .description("the processes, the record, and the state of each machine's connection")
    .action(async () => {
      const status = await ask(around, statusShow, null);
      const site = status.site
        ? `version ${status.site.version}, applied by ${status.site.appliedBy}`
        : "none applied: every connection is refused";
      const audit =
        status.audit === "writing" ? "recording" : `${status.audit}: writes and new sessions are refused`;
      around.print(`appliance  ${status.origin} (niac ${status.version})`);
      around.print(`gateway    ${status.gateway === "attached" ? "running" : "away: nobody can connect"}`);
      around.print(`site       ${site}`);
      around.print(`audit log  ${audit}, ${status.records} records`);
      if (status.machines.length === 0) return;
      around.print("");
      const rows = status.machines.map((each) => [
        `${each.machine}/${each.service}${each.origin === null ? "" : ` from ${each.origin}`}`,
        WORDS[each.circuit],
        String(each.connections),
        String(each.pending),
        String(each.queued),
        each.lastError ?? "",
      ]);
      for (const line of table(["MACHINE", "STATE", "CONNECTIONS", "PENDING", "QUEUED", "LAST ERROR"], rows))
        around.print(line);
    });
}

const WORDS = { closed: "working", open: "not answering", "half-open": "being tried" } as const;
