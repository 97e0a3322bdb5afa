/** A report on its way to the box, over mutual TLS with the profile's certificate; and what the box says to it. */
import { readFileSync } from "node:fs";
import {
  exchange,
  POSTURE_MEDIA,
  POSTURE_PATH,
  type PostureAnswer,
  postureAnswerSchema,
} from "../est/index.ts";
import { PeerError, printable, UnavailableError, UsageError } from "../base/index.ts";
import { readIdentityFile } from "./identity-file.ts";
import type { PostureFacts } from "./posture-facts.ts";
import { signedReport } from "./posture-sign.ts";
import type { ProfileStore } from "./store.ts";

const TIMEOUT = 15_000;
const MAX_ANSWER = 262_144;
/** Characters of the box's own words that are shown. */
const MAX_WORDS = 500;

/** Signs and sends. Profile and certificate are read anew each time: either may have been renewed. Rejects with an error for the reader. */
export async function postFacts(store: ProfileStore, facts: PostureFacts): Promise<PostureAnswer> {
  const { box, device, token } = store.demand();
  const { certificate, chain, key } = readIdentityFile(store.identityFile);
  if (token !== null || key === null) {
    throw new UsageError(
      "posture-token",
      `the key of this certificate is in a token, and niac posture signs with keys in files alone`,
      "Have a management system report on this laptop, or enrol with a key in a file.",
    );
  }
  const { status, body } = await exchange({
    url: new URL(POSTURE_PATH, box),
    method: "POST",
    headers: { "Content-Type": POSTURE_MEDIA },
    body: signedReport(facts, { key, certificate, device, now: Date.now() }),
    ca: readFileSync(store.caFile, "utf8"),
    credentials: { certificate: chain, key },
    timeout: TIMEOUT,
    limit: MAX_ANSWER,
  });
  const text = body.toString("utf8");
  if (status !== 200) throw refusalOf(status, text, box);
  return answerOf(text, box);
}

function refusalOf(status: number, text: string, box: string): Error {
  const [reason = "", ...more] = text.split("\n").map((line) => printable(line.trim()).slice(0, MAX_WORDS));
  const advice = more.find((line) => line !== "");
  const message = `${box} does not take the report: ${reason || `status ${status}`}`;
  // What the box lacks for now passes; the rest does not by trying again.
  if (status === 503 || status === 429) return new UnavailableError("posture-later", message, advice);
  return new UsageError("posture-refused", message, advice);
}

function answerOf(text: string, box: string): PostureAnswer {
  try {
    return postureAnswerSchema.parse(JSON.parse(text));
  } catch (error) {
    const message = `${box} answers the report with what is no answer to one`;
    throw new PeerError("posture-answer", message, "Check that the box runs the same niac.", {
      cause: error,
    });
  }
}
