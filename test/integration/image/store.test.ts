/** Packages that were fetched once are built from again, without the mirror and always in the same order. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { completeStore, fromStore, keepDebs, storeDebs, storedAt } from "../../../scripts/image.d/debs.ts";
import { lockText } from "../../../scripts/image.d/lock.ts";
import { answerName, extractPackages } from "../../../scripts/image.d/packages.ts";
import { Shared } from "../../../scripts/image.d/shared.ts";
import { testWith } from "../../support/tools.ts";

const NOWHERE = { main: "http://127.0.0.1:9/debian", security: "http://127.0.0.1:9/s", given: true };
const ALONE = new Shared(null, () => undefined);
const ASK = { names: ["zsh"], mirror: NOWHERE, anew: false, shared: ALONE };

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), "niac-store-"));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A package in `dir`, with one file or link. */
function pack(dir: string, name: string, put: (tree: string) => void): void {
  const tree = join(dir, `${name}.tree`);
  mkdirSync(join(tree, "DEBIAN"), { recursive: true });
  const control = { Package: name, Version: "1:2.0-1", Architecture: "arm64", Maintainer: "a <a@example>" };
  const lines = Object.entries({ ...control, Source: "from (3)", Description: name }).map((pair) =>
    pair.join(": "),
  );
  writeFileSync(join(tree, "DEBIAN/control"), `${lines.join("\n")}\n`);
  put(tree);
  // A name as of a mirror's, which says nothing.
  execFileSync("dpkg-deb", ["-b", "--root-owner-group", tree, join(dir, `x-${name}.deb`)], {
    stdio: "ignore",
  });
}

function packages(dir: string): void {
  mkdirSync(dir);
  pack(dir, "abc", (tree) => {
    mkdirSync(join(tree, "bin"));
    writeFileSync(join(tree, "bin/abc"), "abc\n");
  });
  pack(dir, "base-files", (tree) => {
    mkdirSync(join(tree, "usr/bin"), { recursive: true });
    symlinkSync("usr/bin", join(tree, "bin"));
  });
}

const withTools = testWith("dpkg-deb", "tar", "bash");

withTools("a lock whose packages are all in the store is built without the mirror", async (t) => {
  const dir = folder(t);
  const cache = join(dir, "cache");
  packages(join(dir, "archives"));
  const debs = await storeDebs(cache, join(dir, "archives"));
  t.deepEqual(
    debs.map((deb) => [deb.package, deb.version, deb.source, deb.sourceVersion]),
    [
      ["abc", "1:2.0-1", "from", "3"],
      ["base-files", "1:2.0-1", "from", "3"],
    ],
  );
  const made = await extractPackages({ ...ASK, cache, lock: lockText(debs) });
  t.deepEqual(made.debs, debs);
  // base-files' link was there before the file that goes through it.
  t.is(readlinkSync(join(made.tree, "bin")), "usr/bin");
  t.is(readFileSync(join(made.tree, "usr/bin/abc"), "utf8"), "abc\n");
  t.is((await extractPackages({ ...ASK, cache, lock: lockText(debs) })).tree, made.tree);
});

withTools("a package that is missing is no lock's, and one that is damaged stops it by name", async (t) => {
  const dir = folder(t);
  const cache = join(dir, "cache");
  packages(join(dir, "archives"));
  const [abc, base] = await storeDebs(cache, join(dir, "archives"));
  if (abc === undefined || base === undefined) return t.fail();
  t.is(await fromStore(cache, [abc.sha256, "00".repeat(32)]), null);
  t.is(await fromStore(cache, []), null);
  const place = storedAt(cache, abc.sha256);
  t.true(existsSync(place));
  writeFileSync(place, readFileSync(storedAt(cache, base.sha256)));
  await t.throwsAsync(fromStore(cache, [abc.sha256]), { message: /is damaged: remove it/ });
});

withTools("a fresh checkout takes what another fetched, and asks nobody within twenty hours", async (t) => {
  const dir = folder(t);
  const shared = new Shared(join(dir, "shared"), (text) => t.log(text));
  packages(join(dir, "archives"));
  const debs = await storeDebs(join(dir, "first"), join(dir, "archives"));
  const first = { ...ASK, shared, cache: join(dir, "first") };
  await extractPackages({ ...first, lock: lockText(debs) });

  // With a lock: everything it names is there.
  const second = { ...ASK, shared, cache: join(dir, "second") };
  const made = await extractPackages({ ...second, lock: lockText(debs) });
  t.deepEqual(made.debs, debs);
  t.is(readFileSync(join(made.tree, "usr/bin/abc"), "utf8"), "abc\n");

  // Without: by the mirror's answer, of which what a package is called is not believed. The first checkout writes it where it asks.
  const answer = (age: number): string =>
    JSON.stringify({
      made: Date.now() - age * 3_600_000,
      debs: debs.map((deb) => ({ ...deb, version: "9" })),
      kernels: ["linux-binary-1"],
    });
  shared.write(answerName(ASK.names, ASK.mirror), answer(19));
  const third = await extractPackages({ ...ASK, shared, cache: join(dir, "third") });
  t.deepEqual(third.debs, debs);
  t.deepEqual(third.kernels, ["linux-binary-1"]);
  shared.write(answerName(ASK.names, ASK.mirror), answer(21));
  await t.throwsAsync(extractPackages({ ...ASK, shared, cache: join(dir, "fourth") }), undefined, "too old");
});

withTools("a damaged package of the shared folder is fetched as if it were not there", async (t) => {
  const dir = folder(t);
  const said: string[] = [];
  const shared = new Shared(join(dir, "shared"), (text) => said.push(text));
  packages(join(dir, "archives"));
  const debs = await storeDebs(join(dir, "first"), join(dir, "archives"));
  keepDebs(join(dir, "first"), shared, debs);
  const [abc] = debs;
  if (abc === undefined) return t.fail();
  writeFileSync(storedAt(join(dir, "shared"), abc.sha256), "something else");
  t.false(
    await completeStore(
      join(dir, "second"),
      shared,
      debs.map(({ sha256 }) => sha256),
    ),
  );
  t.regex(said.join(""), new RegExp(`${abc.sha256}.deb is damaged`));
  t.false(existsSync(storedAt(join(dir, "second"), abc.sha256)));
  // A checkout that has it whole gives it again.
  keepDebs(join(dir, "first"), shared, debs);
  t.true(
    await completeStore(
      join(dir, "second"),
      shared,
      debs.map(({ sha256 }) => sha256),
    ),
  );
});
