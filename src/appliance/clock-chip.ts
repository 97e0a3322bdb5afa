/** The chip that keeps the time without power, as the kernel shows it. */
import { join } from "node:path";
import { list, read } from "./sysfs.ts";

export interface ClockChip {
  /** `rtc0`. */
  readonly name: string;
  /** False: it says itself that it lost the time, for its battery is flat or was away. */
  readonly keepsTime: boolean;
  /** The clock was set from it at the start. */
  readonly setTheClock: boolean;
}

/**
 * The chip that counts: the one that the kernel set the clock from at the start, else rtc0, which is what it would have taken. A board may
 * have a second one, of its processor, that runs only while there is power: that one says nothing about the first. Null: there is none.
 * `root`: where sysfs is.
 */
export function readClockChip(root = "/sys"): ClockChip | null {
  const folder = join(root, "class/rtc");
  const names = list(folder)
    .filter((name) => /^rtc\d+$/.test(name))
    .toSorted((a, b) => Number(a.slice(3)) - Number(b.slice(3)));
  const set = names.find((name) => read(join(folder, name, "hctosys")) === "1");
  const name = set ?? names[0];
  if (name === undefined) return null;
  // A chip whose oscillator stopped answers a question for the time with an error (DS3231: OSF), and so does its file.
  const keepsTime = /^\d+$/.test(read(join(folder, name, "since_epoch")));
  return { name, keepsTime, setTheClock: set !== undefined };
}
