/** The date and the commit of what is built. */
import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { sourceOf } from "../../../scripts/image.d/source.ts";
import { testWith } from "../../support/tools.ts";

const DATE = 1_790_000_000;
const NOBODY = 65_534;

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), "niac-source-"));
  t.teardown(() => rmSync(made, { recursive: true }));
  return made;
}

function repository(t: ExecutionContext): string {
  const made = folder(t);
  const who = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@example", GIT_AUTHOR_DATE: `@${DATE} +0000` };
  const by = {
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@example",
    GIT_COMMITTER_DATE: `@${DATE} +0000`,
  };
  const git = (...words: string[]): unknown =>
    execFileSync("git", words, { cwd: made, stdio: "pipe", env: { ...process.env, ...who, ...by } });
  git("init", "--quiet");
  writeFileSync(join(made, "a"), "a\n");
  git("add", "a");
  git("commit", "--quiet", "--no-gpg-sign", "-m", "a");
  return made;
}

testWith("git", "root")("the date is the commit's, also in a folder of another user", async (t) => {
  const made = repository(t);
  chownSync(made, NOBODY, NOBODY);
  chownSync(join(made, ".git"), NOBODY, NOBODY);
  const { date, commit, changed } = await sourceOf(`${made}/`, {});
  t.is(date, DATE);
  t.regex(commit ?? "", /^[0-9a-f]{40}$/);
  t.false(changed);
});

testWith("git")("a checkout that was changed is told from its commit", async (t) => {
  const made = repository(t);
  writeFileSync(join(made, "a"), "b\n");
  t.true((await sourceOf(made, {})).changed);
  t.is((await sourceOf(made, { SOURCE_DATE_EPOCH: "12" })).date, 12);
});

test("without git history it takes SOURCE_DATE_EPOCH, and says so where it is not there", async (t) => {
  const made = folder(t);
  t.deepEqual(await sourceOf(made, { SOURCE_DATE_EPOCH: "1700000000" }), {
    date: 1_700_000_000,
    commit: null,
    changed: false,
  });
  await t.throwsAsync(sourceOf(made, {}), { message: /Set SOURCE_DATE_EPOCH/ });
  await t.throwsAsync(sourceOf(made, { SOURCE_DATE_EPOCH: "soon" }), { message: /takes seconds/ });
});
