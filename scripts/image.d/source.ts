/** What is built: the commit with its date, which is the image's, and whether the checkout was changed since. */
import { run } from "./tools.ts";

export interface Source {
  /** Seconds since 1970: SOURCE_DATE_EPOCH where it is given, else the commit's. */
  readonly date: number;
  /** Null: the folder has no git history. */
  readonly commit: string | null;
  /** Files differ from the commit's, so that the commit alone does not say what is in the image. */
  readonly changed: boolean;
}

/** Throws where nothing says a date. */
export async function sourceOf(root: string, env: NodeJS.ProcessEnv): Promise<Source> {
  // With sudo the folder is another user's, and git reads no such folder unless it is told which.
  const folder = root.replace(/(?<=.)\/$/, "");
  const git = (...words: string[]): Promise<string> =>
    run("git", ["-c", `safe.directory=${folder}`, "--no-optional-locks", "-C", folder, ...words]);
  const given = env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && !/^\d{1,10}$/.test(given))
    throw new Error(`SOURCE_DATE_EPOCH is ${JSON.stringify(given)}: it takes seconds since 1970`);
  try {
    const [commit = "", date = ""] = (await git("log", "-1", "--format=%H %ct")).trim().split(" ");
    return { date: Number(given ?? date), commit, changed: (await git("status", "--porcelain")) !== "" };
  } catch (error) {
    if (given !== undefined) return { date: Number(given), commit: null, changed: false };
    throw new Error(
      `the image has its commit's date, and here is no git history that says it. Set SOURCE_DATE_EPOCH to seconds since 1970, the same for the same sources.\n${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
