/** Processes of the tests: ended by their own id, waited for by a condition. */
import type { ChildProcess } from "node:child_process";

/** What ava's execution context is needed for here. */
export interface Teardown {
  teardown(finish: () => void | Promise<void>): void;
}

/** Milliseconds to wait for what should come at once, on a computer that is busy with other tests. */
const PATIENCE = 45_000;
const STEP = 20;

/** Milliseconds that an ended child's streams may stay open: whom it started may hold them. */
const LAST_WORDS = 2_000;

/** Whether it ended, and all it said has been read: its streams may end after it does. */
export function over(child: ChildProcess): boolean {
  return ended(child) && [child.stdout, child.stderr].every((stream) => stream?.closed ?? true);
}

/** Ends a child by its id and waits until it is gone, and what it said last is read. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (!ended(child)) {
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exit;
  }
  const limit = Date.now() + LAST_WORDS;
  while (!over(child) && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, STEP));
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
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
