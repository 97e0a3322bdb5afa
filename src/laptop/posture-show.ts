/** What was found and what the box says to it, in lines for the person. Pure. */
import type { PostureAnswer } from "../est/index.ts";
import { durationText, table } from "../base/index.ts";
import type { PostureFindings } from "./posture-facts.ts";

export function findingLines({ diskEncryption, os, edr }: PostureFindings): string[] {
  return table(
    ["FACT", "FOUND", "HOW"],
    [
      ["disk encryption", diskEncryption.found, diskEncryption.how],
      ["operating system", os.found, os.how],
      ["endpoint detection and response", edr.found, edr.how],
    ],
  );
}

/** `now`: milliseconds since the epoch, by this computer's clock. */
export function answerLines({ device, requirements }: PostureAnswer, now: number): string[] {
  if (requirements.length === 0) return [`Nothing at this box asks what ${device} is like.`];
  const rows = requirements.map(({ name, met, until, lack }) => [
    name,
    met ? "yes" : "no",
    met && until !== null ? `for ${durationText(until * 1_000 - now)}, if no other report comes` : lack,
  ]);
  return table(["REQUIREMENT", "MET", "HOW LONG, OR WHY NOT"], rows);
}

/** What of the answer is news: which requirements are met, and not until when. */
export function standingText({ requirements }: PostureAnswer): string {
  return JSON.stringify(requirements.map(({ name, met, lack }) => [name, met, met ? "" : lack]));
}
