/** niac's program as boxes run it: JavaScript in few files, each process reading in what it needs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

/** Not bundled: native code beside JavaScript that looks for it, and a table that is read as a file. */
export const BESIDE: readonly string[] = [
  "better-sqlite3",
  "@serialport/bindings-cpp",
  "node-gyp-build",
  "oui-data",
];

/**
 * Makes niac.mjs, its workers and what they share in the directory `out`. It looks for niac-net.node in build/ two folders above.
 * `release`: the version it says it is, where that is not the project's own.
 */
export async function makeProgram(root: string, out: string, release?: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: {
      niac: join(root, "src/main.ts"),
      "parse-worker": join(root, "src/control/parse-worker.ts"),
      "crl-worker": join(root, "src/revocation/crl-worker.ts"),
    },
    absWorkingDir: root,
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    minifySyntax: true,
    minifyWhitespace: true,
    // Names in messages and stacks stay what they are in the source.
    keepNames: true,
    metafile: true,
    platform: "node",
    format: "esm",
    target: "node24",
    external: [...BESIDE],
    plugins: [workersBeside, ...(release === undefined ? [] : [versioned(release)])],
    banner: {
      js: 'import{createRequire as niacRequire}from"node:module";const require=niacRequire(import.meta.url);',
    },
    legalComments: "none",
    logLevel: "warning",
  });
  return metafile;
}

function versioned(release: string): Plugin {
  return {
    name: "version",
    setup(into) {
      into.onLoad({ filter: /\/src\/base\/version\.ts$/ }, () => ({
        contents: `export const NIAC_VERSION = ${JSON.stringify(release)};`,
        loader: "ts",
      }));
    },
  };
}

/** Source files name their workers `x.ts`; in the bundle they are `x.mjs`. */
const workersBeside: Plugin = {
  name: "workers",
  setup(into) {
    into.onLoad({ filter: /-aside\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(
        /new URL\("([\w-]+)\.ts", import\.meta\.url\)/g,
        'new URL("$1.mjs", import.meta.url)',
      ),
      loader: "ts",
    }));
  },
};
