import test from "ava";
import { readOptions } from "../../../../scripts/test.d/options.ts";

const NONE = { files: [], changed: false, record: false, minutes: 60 };

test("each way to call it", (t) => {
  t.deepEqual(readOptions([]), { ...NONE, what: "all" });
  t.deepEqual(readOptions(["--changed"]), { ...NONE, what: "all", changed: true });
  t.deepEqual(readOptions(["--quick"]), { ...NONE, what: "quick" });
  t.deepEqual(readOptions(["--image", "--record"]), { ...NONE, what: "image", record: true });
  t.deepEqual(readOptions(["--soak", "--minutes", "1.5"]), { ...NONE, what: "soak", minutes: 1.5 });
  t.deepEqual(readOptions(["--e2e", "a.test.ts"]), {
    ...NONE,
    what: "files",
    files: ["test/e2e/**/*.test.ts", "a.test.ts"],
  });
  t.is(readOptions(["--image", "-h"]), null);
});

const WRONG: ReadonlyArray<readonly [args: string[], says: RegExp]> = [
  [["--fast"], /--fast/],
  [["--quick", "--soak"], /do not go together/],
  [["--image", "a.test.ts"], /do not go together/],
  [["--quick", "--changed"], /--changed is for the whole run/],
  [["--record"], /--record goes with/],
  [["--minutes", "3"], /--minutes goes with --soak/],
  [["--soak", "--minutes", "none"], /above 0, not none/],
  [["--soak", "--minutes", "0"], /above 0, not 0/],
];
for (const [args, says] of WRONG)
  test(`what is wrong with it is said: ${args.join(" ")}`, (t) => {
    const said = readOptions(args);
    t.regex(typeof said === "string" ? said : "", says);
  });
