/** The box's panel under fingers that are not there: contacts are moved by the kernel's gpio-sim, lamps are read where the kernel has them. */
import type { Box } from "./box.ts";

/** Lines of hw/qemu-arm64/pins.yaml. */
export const KEY = 8;
export const COVER = 10;

/** Contacts close to ground: a line that is pulled down is a contact that is closed. */
export async function contact(box: Box, line: number, state: "closed" | "open"): Promise<void> {
  const pull = state === "closed" ? "pull-down" : "pull-up";
  await box.out(`echo ${pull} >/sys/devices/platform/niac-gpio/gpiochip*/sim_gpio${line}/pull`);
}

export const LAMP = { on: "[none] 1", off: "[none] 0" } as const;

/** How a lamp is: LAMP's, or another trigger and brightness where it blinks. */
export function lamp(box: Box, name: string): Promise<string> {
  return box.out(`cd /sys/class/leds/niac:*:${name} && echo $(grep -o '\\[.*\\]' trigger) $(cat brightness)`);
}
