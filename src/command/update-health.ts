/** `niac update await-health`: whether an image on trial is good, asked from outside control, which may be what is wrong with it. */
import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type * as z from "zod";
import { messageOf, systemCode, UnavailableError } from "../base/index.ts";
import * as link from "../link/index.ts";
import { ask, withControl, type Surroundings } from "./context.ts";

/** Milliseconds between questions. */
const QUESTION = 2_000;

/** Asks until the image on trial is good, or `patience` (seconds) is over: then it is given up, and this throws. */
export async function awaitHealth(
  around: Surroundings,
  { patience, failure }: { readonly patience: number; readonly failure: string },
): Promise<void> {
  const end = performance.now() + patience * 1_000;
  let why = "control did not answer";
  for (let left = patience * 1_000; left > 0; left = end - performance.now()) {
    try {
      // Control may take longer over an answer than there is time: then it is as one that does not answer.
      const answer = await confirm(around, left);
      if (answer?.healthy) {
        around.print(`${answer.version} is good, and is what the box starts from now on.`);
        return;
      }
      if (answer !== null) why = answer.why.join("; ");
    } catch (error) {
      why = messageOf(error);
    }
    await pause(Math.max(0, Math.min(QUESTION, end - performance.now())));
  }
  const reason = `not healthy after ${patience} s: ${why}`.replaceAll("\n", " ").slice(0, 500);
  leave(around, failure, reason);
  const answer = await ask(around, link.updateGiveUp, { why: reason }).catch((error: unknown) =>
    around.complain(messageOf(error)),
  );
  if (answer?.healthy) {
    rmSync(failure, { force: true });
    around.print(`${answer.version} became what the box starts meanwhile, and stays: ${reason}.`);
    return;
  }
  throw new UnavailableError(
    "unhealthy",
    `the image on trial is ${reason}`,
    "The box goes back to the one before.",
  );
}

/** For the slot of before, whose control says so where this one cannot. A file system that takes nothing keeps nobody from going back. */
function leave(around: Surroundings, failure: string, reason: string): void {
  try {
    writeFileSync(failure, `${reason}\n`);
  } catch (error) {
    around.complain(`${failure} cannot be written (${systemCode(error)})`);
  }
}

/** Whether it is good. Null: there was no answer in so many milliseconds; it is waited for no longer. */
function confirm(
  around: Surroundings,
  milliseconds: number,
): Promise<z.infer<typeof link.updateConfirm.result> | null> {
  return withControl(around, async (channel) => {
    const over = new AbortController();
    try {
      const late = pause(milliseconds, null, { signal: over.signal });
      return await Promise.race([channel.call(link.updateConfirm, null), late]);
    } finally {
      over.abort();
    }
  });
}
