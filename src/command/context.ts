import { join } from "node:path";
import { BugError, messageOf, NiacError, type Call, type Channel } from "../base/index.ts";
import { ADMIN_SOCKET, dial } from "../link/index.ts";

/** What commands need of the process they run in. */
export interface Surroundings {
  /** Prints one line to standard output. */
  print(line: string): void;
  /** Prints one line to standard error. */
  complain(line: string): void;
  /** Shows a line in the place of the one that it showed before; empty: takes that away. Left out where there is no terminal. */
  redraw?(line: string): void;
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** Who types, for the record. */
  readonly user: string;
  readonly runDir: () => string;
  /** Sets the exit code: 1 refused or failed, 2 wrongly asked. */
  exit(code: number): void;
  /** Asks the person at the terminal, and shows nothing of what is typed. Null: there is nobody to ask. */
  secret(question: string): Promise<string | null>;
  /** Resolves when the person has had enough (Ctrl-C). */
  interrupted(): Promise<void>;
}

/** Opens control's admin socket for as long as `use` takes. */
export async function withControl<T>(
  around: Surroundings,
  use: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await dial(join(around.runDir(), ADMIN_SOCKET), "command");
  try {
    return await use(channel);
  } finally {
    channel.close();
  }
}

export function ask<Params, Result>(
  around: Surroundings,
  call: Call<Params, Result>,
  params: Params,
): Promise<Result> {
  return withControl(around, (channel) => channel.call(call, params));
}

/** What went wrong and what to do, in lines for a person; a bug keeps its stack, for whoever mends it. */
export function explain(error: unknown): string[] {
  if (error instanceof BugError || !(error instanceof NiacError)) {
    return [
      "niac itself failed; please report this:",
      error instanceof Error ? (error.stack ?? error.message) : messageOf(error),
    ];
  }
  return error.advice === undefined ? [error.message] : [error.message, error.advice];
}
