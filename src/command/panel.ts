import { Command } from "commander";
import { printable } from "../base/index.ts";
import { panelAcknowledge, type BoxView, type PanelView } from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";

/** `niac panel acknowledge`. How the panel stands is in `niac status`. */
export function panelCommand(around: Surroundings): Command {
  const panel = new Command("panel").description("the key switch, button and cover of the box");
  panel
    .command("acknowledge")
    .description("somebody has looked at the box whose cover was opened; on record")
    .option("--reason <text>", "for the record", "")
    .action(async ({ reason }: { reason: string }) => {
      const { opened } = await ask(around, panelAcknowledge, { reason, by: around.user });
      around.print(`Acknowledged: the cover was opened at ${new Date(opened).toISOString()}.`);
    });
  return panel;
}

/** For `niac status`: the box as hardware. What does not apply is left out. */
export function boxLines({ panel, health }: BoxView): string[] {
  const { temperature, clockChip, storage, sealed } = health;
  const facts = [
    ...(temperature === null ? [] : [`${temperature.toFixed(1)} °C`]),
    ...(clockChip === "none"
      ? ["no clock chip"]
      : [`clock chip ${clockChip === "lost" ? "lost the time" : "keeps time"}`]),
    ...(storage === null
      ? []
      : [`${gigabytes(storage.free)} of ${gigabytes(storage.size)} GB of storage free`]),
    ...(sealed === null ? [] : [SEALED[sealed]]),
  ];
  return [`box        ${facts.join(", ")}`, ...(panel === null ? [] : [`panel      ${panelText(panel)}`])];
}

const SEALED = {
  tpm: "data sealed by the TPM",
  card: "no TPM: whoever has the card can read the data",
} as const;

function panelText({ keySwitch, cover, console, allows, buttonUntil, opened }: PanelView): string {
  const since = opened === null ? "" : `, opened at ${new Date(opened).toISOString()} and not acknowledged`;
  return [
    `key switch ${keySwitch === null ? "not known" : keySwitch ? "on" : "off"}`,
    ...(buttonUntil === null ? [] : [`button pressed, until ${new Date(buttonUntil).toISOString()}`]),
    `what needs the key ${allows === true ? "holds" : "does not hold"}`,
    `cover ${cover ?? "not known"}${since}`,
    ...(console === true ? ["console jumper set"] : []),
  ].join(", ");
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}

/** What needs a person's eye, with what to do; what has a line of its own in `niac status` is left to it. */
export function faultLines({ faults }: BoxView): string[] {
  return faults
    .filter(({ source }) => !SHOWN_ELSEWHERE.includes(source))
    .flatMap(({ why, advice }) => [
      printable(`fault      ${why}`),
      ...(advice === "" ? [] : [printable(`           ${advice}`)]),
    ]);
}

const SHOWN_ELSEWHERE: readonly string[] = ["certificate", "clock", "gateway", "netd", "network", "record"];
