/** Processes of the tests: ended by their own id, waited for by a condition. */
import type { ChildProcess } from "node:child_process";

/** What ava's execution context is needed for here. */
export interface Teardown {
  teardown(finish: () => void | Promise<void>): void;
}

/** Milliseconds to wait for what should come at once, on a computer that is busy with other tests. */
const PATIENCE = 45_000;
const STEP = 20;

/** Ends a child by its id and waits until it is gone. */
export function end(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill(signal);
  });
}

/** Waits until `condition` holds, and fails with what was waited for where it never does. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  patience = PATIENCE,
): Promise<void> {
  const limit = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error(`waited ${patience} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, STEP));
  }
}
