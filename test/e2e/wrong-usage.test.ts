import test from "ava";
import { Appliance, type CommandResult } from "../support/appliance.ts";
import { pressSite } from "../support/sites.ts";

const WRONG: ReadonlyArray<readonly [words: readonly string[], said: RegExp]> = [
  [[], /Usage: niac .*[^]*Commands:/],
  [["frob"], /unknown command 'frob'[^]*Usage: niac/],
  [["statu"], /Did you mean status\?/],
  [["site"], /Usage: niac site/],
  [["site", "chek", "x"], /unknown command 'chek'[^]*Usage: niac site/],
  [["site", "check"], /missing required argument 'file'[^]*Usage: niac site check/],
  [["site", "apply", "/nonexistent/plant.yaml"], /\/nonexistent\/plant\.yaml cannot be read \(ENOENT\)/],
  [["site", "show", "newest"], /"newest" is no version/],
  [["end"], /missing required argument 'session'[^]*Usage: niac end/],
  [["sessions", "all"], /too many arguments[^]*Usage: niac sessions/],
  [["audit", "tail", "--lines", "many"], /--lines is "many"; it takes a whole number/],
  [["audit", "tail", "--colour"], /unknown option '--colour'[^]*Usage: niac audit tail/],
  [["--settings", "/nonexistent", "status"], /settings file \/nonexistent cannot be read/],
];

function noStack(t: { notRegex(text: string, pattern: RegExp): void }, { out, err }: CommandResult): void {
  t.notRegex(out + err, /\n\s+at .*:\d+:\d+/);
}

test("wrong usage says what is wrong, gives help, and exits with 2", async (t) => {
  const bed = await Appliance.prepare(t, { site: null });
  for (const [words, said] of WRONG) {
    const result = await bed.niac(...words);
    t.is(result.code, 2, `niac ${words.join(" ")}: ${result.err}`);
    t.is(result.out, "");
    t.regex(result.err, said);
    noStack(t, result);
  }
  for (const words of [["--help"], ["site", "--help"], ["audit", "query", "--help"], ["--version"]]) {
    t.like(await bed.niac(...words), { code: 0, err: "" });
  }
});

test("commands while nothing runs say what to do", async (t) => {
  const bed = await Appliance.prepare(t, { site: null });
  const file = bed.write("plant.yaml", pressSite(502));
  const commands = [
    "status",
    "sessions",
    "end x",
    "site show",
    "site history",
    "audit tail",
    "audit query",
    `site apply ${file}`,
  ];
  for (const words of commands) {
    const result = await bed.niac(...words.split(" "));
    t.is(result.code, 1, words);
    t.is(result.out, "");
    t.regex(
      result.err,
      /^niac control does not answer on .*admin\.sock \(ENOENT\)\nStart the appliance with `niac up`, or check NIAC_RUN_DIR\.\n$/,
    );
  }
  t.is((await bed.niac("site", "check", file)).code, 0, "a document can be checked anywhere");
  const missing = await bed.niac("--settings", bed.write("empty.env", ""), "site", "schema");
  t.is(missing.code, 0);
});
