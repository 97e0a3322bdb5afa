import { Argument, Command } from "commander";
import { consoleShell } from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

/** `niac console-record opened jumper`: the serial console's own word for the record (image/rootfs/usr/lib/niac/console). */
export function consoleRecordCommand(around: Surroundings): Command {
  return new Command("console-record")
    .description("put a shell on the serial console on record")
    .addArgument(new Argument("<state>").choices(["opened", "closed"]))
    .addArgument(new Argument("<why>").choices(["jumper", "setting"]))
    .action(async (state: "opened" | "closed", why: "jumper" | "setting") => {
      await ask(around, consoleShell, { state, why });
    });
}
