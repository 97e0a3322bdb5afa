/** What is typed after scripts/test. */
import { parseArgs } from "node:util";

/** What is asked for. `files`: those named, and nothing else. */
export type What = "quick" | "all" | "image" | "soak" | "files" | "slowest";

export interface Options {
  readonly what: What;
  /** Paths or patterns of test files, with `what: "files"`. */
  readonly files: readonly string[];
  /** With `all`: the short forms of the image's tier and of soak too, where what they test has changed. */
  readonly changed: boolean;
  /** With `image` or `soak`: write into test/passed.json for which inputs it passed. */
  readonly record: boolean;
  /** How long `soak` goes on, in minutes. */
  readonly minutes: number;
}

const MINUTES = 60;

export const HELP = `usage: scripts/test [--quick | --image | --soak | FILES ...]

Without arguments, all that is checked before a change lands. Each tier has a
budget of time on two cores:

  --quick      types, lint, format and the unit tests: 90 seconds
  (nothing)    these, integration, end-to-end, an image made, its tree looked
               at, and one start of it: 15 minutes, 20 where tools must be
               downloaded first
  --image      every test of the image, with updates and power cuts: an hour
  --soak       the long ones, as testssl over all listeners or netd killed
               hundreds of times: --minutes, 60 if not given

  --unit, --integration, --e2e, or files: that part alone
  --changed    all, and the short forms of --image and --soak where what they
               test has changed since they last passed (test/passed.json)
  --record     with --image or --soak: writes into test/passed.json that it
               passed, for which inputs, and its figures
  --minutes N  how long --soak goes on
  --slowest    the time by file of the last run, the dearest last

The cheapest comes first, and a tier that fails ends the run. Outside the unit
tests a file that failed is run again alone, three files at most; one that then
passes is named FLAKY at the end. What was about packets, refusals, secrets or
records is never run again.

The last line is "N passed, N failed, N skipped"; the exit code is 0 only where
none failed. As root on Debian it installs the tools that the tests are made
with (scripts/test.d/tools.sh); without root, what needs them is skipped.
`;

const PARTS = {
  unit: "test/unit/**/*.test.ts",
  integration: "test/integration/**/*.test.ts",
  e2e: "test/e2e/**/*.test.ts",
} as const;

/** A string says what is wrong with what was typed; null: help was asked for. */
export function readOptions(args: readonly string[]): Options | string | null {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        image: { type: "boolean", default: false },
        soak: { type: "boolean", default: false },
        unit: { type: "boolean", default: false },
        integration: { type: "boolean", default: false },
        e2e: { type: "boolean", default: false },
        changed: { type: "boolean", default: false },
        record: { type: "boolean", default: false },
        slowest: { type: "boolean", default: false },
        minutes: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  const files = [
    ...(["unit", "integration", "e2e"] as const).filter((part) => values[part]).map((part) => PARTS[part]),
    ...positionals,
  ];
  const asked = (["quick", "image", "soak", "slowest"] as const).filter((one) => values[one]);
  if (asked.length + (files.length > 0 ? 1 : 0) > 1)
    return "--quick, --image, --soak, --slowest and files do not go together";
  const what: What = asked[0] ?? (files.length > 0 ? "files" : "all");
  if (values.changed && what !== "all")
    return "--changed is for the whole run, without another tier or files";
  if (values.record && what !== "image" && what !== "soak") return "--record goes with --image or --soak";
  if (values.minutes !== undefined && what !== "soak") return "--minutes goes with --soak";
  const minutes = values.minutes === undefined ? MINUTES : Number(values.minutes);
  if (!(minutes > 0)) return `--minutes takes a number above 0, not ${values.minutes}`;
  return { what, files, changed: values.changed, record: values.record, minutes };
}
