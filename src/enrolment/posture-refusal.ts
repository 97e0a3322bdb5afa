import { HttpRefusal, type RefusalWords } from "./http-reply.ts";

export const FORMAT_ADVICE = "niac's POSTURE.md says how a report is made.";

export function malformed(how: string): HttpRefusal {
  return refusal("posture-format", 400, {
    message: `this is no posture report: ${how}`,
    advice: FORMAT_ADVICE,
  });
}

/** `recorded` where the message says what the sender chose: refusals of one kind are summed up on record, and each such would be its own. */
export function refusal(
  code: string,
  status: number,
  words: Pick<RefusalWords, "message" | "advice" | "recorded">,
): HttpRefusal {
  return new HttpRefusal(code, { status, stage: "posture", ...words });
}
