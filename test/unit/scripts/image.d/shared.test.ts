/** The folder in which checkouts share downloads: where it is, and that nothing goes wrong by what is wrong with it. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Shared, sharedFolder } from "../../../../scripts/image.d/shared.ts";
import { sweep } from "../../../../scripts/image.d/sweep.ts";

const DAY = 86_400_000;

function scratch(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), "niac-shared-"));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const isGood = (copy: string): Promise<boolean> => Promise.resolve(readFileSync(copy, "utf8") === "good");

for (const [what, env, folder] of [
  ["NIAC_CACHE goes before all", { NIAC_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" }, "/a/image"],
  ["a relative one belongs to the folder it was typed in", { NIAC_CACHE: "a", HOME: "/c" }, "/here/a/image"],
  ["none is none", { NIAC_CACHE: "none", XDG_CACHE_HOME: "/b", HOME: "/c" }, null],
  ["XDG's folder", { NIAC_CACHE: "", XDG_CACHE_HOME: "/b", HOME: "/c" }, "/b/niac/image"],
  [
    "a relative one of XDG's is ignored, as its specification says",
    { XDG_CACHE_HOME: "b", HOME: "/c" },
    "/c/.cache/niac/image",
  ],
  ["the home's", { HOME: "/c" }, "/c/.cache/niac/image"],
  ["without a home there is none", {}, null],
] as const)
  test(`where the shared folder is: ${what}`, (t) => {
    t.is(sharedFolder(env, "/here"), folder);
  });

test("what one checkout gives another takes, whole, and both may write at once", async (t) => {
  const dir = scratch(t);
  const said: string[] = [];
  const [one, two] = ["one", "two"].map(() => new Shared(join(dir, "shared"), (text) => said.push(text)));
  if (one === undefined || two === undefined) return t.fail();
  writeFileSync(join(dir, "file"), "good");
  one.give("debs/a", join(dir, "file"));
  two.give("debs/a", join(dir, "file"));
  one.write("answer.json", "1");
  two.write("answer.json", "2");
  t.true(await two.take("debs/a", join(dir, "mine/a"), isGood));
  t.is(readFileSync(join(dir, "mine/a"), "utf8"), "good");
  t.is(one.read("answer.json"), "2");
  // Nothing half-made stays behind, here or there.
  t.deepEqual(readdirSync(join(dir, "shared")).toSorted(), ["answer.json", "debs"]);
  t.deepEqual(readdirSync(join(dir, "shared/debs")), ["a"]);
  t.deepEqual(readdirSync(join(dir, "mine")), ["a"]);
  t.deepEqual(said, []);
});

test("what is damaged is not taken, is named, and makes room for a whole one", async (t) => {
  const dir = scratch(t);
  const said: string[] = [];
  const shared = new Shared(join(dir, "shared"), (text) => said.push(text));
  writeFileSync(join(dir, "file"), "bad");
  shared.give("a", join(dir, "file"));
  t.false(await shared.take("a", join(dir, "mine"), isGood));
  t.deepEqual(readdirSync(dir).toSorted(), ["file", "shared"]);
  t.is(said.length, 1);
  t.regex(said[0] ?? "", /shared\/a is damaged/);
  writeFileSync(join(dir, "file"), "good");
  shared.give("a", join(dir, "file"));
  t.true(await shared.take("a", join(dir, "mine"), isGood));
});

test("a folder that cannot be written costs one line, and nothing else", async (t) => {
  const dir = scratch(t);
  const said: string[] = [];
  // A file in the folder's place: also root cannot make a folder below it.
  writeFileSync(join(dir, "file"), "good");
  const shared = new Shared(join(dir, "file/image"), (text) => said.push(text));
  shared.give("a", join(dir, "file"));
  shared.write("b", "text");
  t.is(shared.read("b"), null);
  t.false(await shared.take("a", join(dir, "mine"), isGood));
  t.deepEqual(said.length, 1);
  t.regex(said[0] ?? "", /cannot be written \(ENOTDIR\)/);
});

test("nothing is shared where no folder is", async (t) => {
  const dir = scratch(t);
  const shared = new Shared(null, (text) => t.fail(text));
  writeFileSync(join(dir, "file"), "good");
  shared.give("a", join(dir, "file"));
  shared.write("b", "text");
  t.is(shared.read("b"), null);
  t.false(await shared.take("a", join(dir, "mine"), isGood));
  t.deepEqual(readdirSync(dir), ["file"]);
});

test("packages that no lock names go a month after a checkout last took them, from the shared folder too", async (t) => {
  const dir = scratch(t);
  const [base, image, folder] = ["base", "image", "shared"].map((name) => join(dir, name));
  if (base === undefined || image === undefined || folder === undefined) return t.fail();
  mkdirSync(join(image, "boards/one"), { recursive: true });
  mkdirSync(join(base, "cache"), { recursive: true });
  writeFileSync(join(image, "boards/one/packages.lock"), "named 1.0 aa\n");
  const shared = new Shared(folder, (text) => t.fail(text));
  const names = ["debs/aa.deb", "debs/bb.deb", "debs/cc.deb", "debs/dd.deb", "npm/node.tgz", "answer-1.json"];
  writeFileSync(join(dir, "file"), "good");
  for (const name of names) shared.give(name, join(dir, "file"));
  const age = (name: string, days: number): void => {
    const then = new Date(Date.now() - days * DAY);
    utimesSync(join(folder, name), then, then);
  };
  for (const name of names) age(name, 31);
  age("debs/cc.deb", 29);
  t.true(await shared.take("debs/dd.deb", join(dir, "mine"), isGood));
  writeFileSync(join(folder, "debs/ee.deb.7.making"), "half");
  age("debs/ee.deb.7.making", 1);
  sweep(base, image, folder);
  t.deepEqual(readdirSync(join(folder, "debs")).toSorted(), ["aa.deb", "cc.deb", "dd.deb"]);
  t.deepEqual(readdirSync(join(folder, "npm")), []);
  t.false(shared.has("answer-1.json"));
});
