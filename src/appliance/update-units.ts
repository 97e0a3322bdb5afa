/** Which of the box's units failed, as systemd says. */
import { execFile } from "node:child_process";
import { UnavailableError } from "../base/index.ts";

const ENVIRONMENT = Object.freeze({ PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" });
/** Milliseconds. */
const PATIENCE = 20_000;

/** niac's own; a stick that could not be read says nothing of the box. Rejects with an UnavailableError where systemd does not answer. */
export function failedUnits(): Promise<string[]> {
  const words = ["list-units", "--state=failed", "--plain", "--no-legend", "--no-pager", "niac*"];
  return new Promise((resolve, reject) => {
    execFile("systemctl", words, { env: ENVIRONMENT, timeout: PATIENCE }, (error, out, complaint) => {
      if (error === null) resolve(readUnits(out));
      else
        reject(
          new UnavailableError(
            "systemd-away",
            `systemd does not answer: ${complaint.trim() || error.message}`,
          ),
        );
    });
  });
}

/** `systemctl list-units --plain --no-legend`: the name is a line's first word. */
export function readUnits(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((name) => name !== "" && !name.startsWith("niac-usb@"));
}
