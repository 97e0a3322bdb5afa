/** scripts/image: from the lists below image/ to a disk, step by step. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeApp } from "./app.ts";
import { makeBoot, words } from "./boot.ts";
import { builderPackages } from "./builder.ts";
import { makeBundle } from "./bundle.ts";
import type { Deb } from "./debs.ts";
import { makeInitramfs, packKernel } from "./initramfs.ts";
import { developmentKeys } from "./keys.ts";
import { readList, readMeta } from "./lists.ts";
import { makeLicences } from "./licences.ts";
import { lockDifferences, lockText, newerKernels } from "./lock.ts";
import { mirrorOf } from "./mirror.ts";
import { bringNode, nodePackage } from "./node-package.ts";
import { readOptions, type ImageOptions } from "./options.ts";
import { extractPackages, type Extracted } from "./packages.ts";
import { readParts } from "./parts.ts";
import { Progress } from "./progress.ts";
import { makeRoot } from "./root.ts";
import { makeSbom } from "./sbom.ts";
import { Shared, sharedFolder } from "./shared.ts";
import { checkSigning } from "./signing.ts";
import { sourceOf } from "./source.ts";
import { sweep } from "./sweep.ts";
import { fileHash, run, textHash } from "./tools.ts";
import { buildTryboot, kernelOf, kernelPackage } from "./tryboot.ts";
import { makeRootImage } from "./verity.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Where the command was typed. */
const from = process.env["NIAC_CALLED_FROM"] ?? root;
const say = (text: string): void => void process.stderr.write(text);
// Folders and files that no list gives a mode have this one's.
process.umask(0o022);
const options = readOptions(process.argv.slice(2), { root, from }, say);
if (options !== null) {
  try {
    await make(options);
  } catch (error) {
    say(`\nscripts/image: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function make(wanted: ImageOptions): Promise<void> {
  const { board, version, signing, anew, out, level } = wanted;
  if (process.getuid?.() !== 0) throw new Error("making an image takes root: files in it belong to root");
  if (signing !== null) await checkSigning(signing);
  const image = join(root, "image");
  const meta = readMeta(join(image, "boards", board, "meta"));
  const what = meta["WHAT"] ?? board;
  const base = join(root, "build/image");
  const [cache, work] = [join(base, "cache"), join(base, `${board}.work`)];
  const at = (name: string): string => join(out, name);
  const shared = new Shared(sharedFolder(process.env, from), say);
  sweep(base, image, shared.folder);
  // Whoever looks for an image asks for the manifest: it is away while the rest is not whole.
  for (const name of ["manifest.json", ...outputs(board)]) rmSync(at(name), { force: true });
  for (const each of [cache, out, work]) mkdirSync(each, { recursive: true });
  const source = await sourceOf(root, process.env);
  const sourceDate = source.date;
  const progress = new Progress(10, say);

  const names = packageList(image, board);
  const lockFile = join(image, "boards", board, "packages.lock");
  const packages = await progress.step("Debian's packages, extracted", () =>
    extractPackages({
      cache,
      shared,
      names,
      mirror: mirrorOf(process.env),
      anew,
      lock: wanted.locked && existsSync(lockFile) ? readFileSync(lockFile, "utf8") : null,
    }),
  );
  checkLock(lockFile, packages, wanted);
  const keys = signing ?? (await developmentKeys(join(base, "keys")));
  const app = join(work, "app");
  const { metafile } = await progress.step("niac, bundled with Node", async () => {
    await bringNode(root, cache, shared);
    return makeApp({ root, out: app, cache, release: version });
  });
  const drivers = words(meta["DRIVERS"]);
  const { extraModules, compiler } = await progress.step("kernel modules of our own", async () => {
    const made: string[] = [];
    let used: readonly Deb[] = [];
    for (const name of drivers) {
      const outFile = join(work, `niac_${name}.ko`);
      // One tree of tools for all of them.
      used = await buildTryboot({
        source: join(image, name),
        ...kernelOf(packages.debs),
        mirror: mirrorOf(process.env),
        cache,
        shared,
        outFile,
        progress: (line) => progress.note(line),
      });
      made.push(outFile);
    }
    return { extraModules: made, compiler: used };
  });
  const parts = readParts({
    root,
    tree: packages.tree,
    debs: packages.debs,
    asked: names.map((name) => name.replace(/\/.*/, "")),
    metafile,
    app: join(app, "app"),
    nodePackage: nodePackage(root, cache),
    drivers: drivers.map((name) => join("image", name, `niac_${name}.c`)),
  });
  const licences = makeLicences(parts, { board, version });
  const tree = join(work, "root");
  await progress.step("root file system", () =>
    makeRoot({
      image,
      packages: packages.tree,
      app,
      board,
      version,
      keyring: keys.keyring,
      extraModules,
      licences,
      sourceDate,
      out: tree,
    }),
  );
  const verity = await progress.step("squashfs with its verity tree", () =>
    makeRootImage({
      tree,
      file: at("root.img"),
      sourceDate,
      level,
      salt: textHash("niac", board, version),
      uuid: "6e696163-0000-4000-8000-000000000000",
    }),
  );
  await progress.step("kernel and initramfs", async () => {
    await packKernel({ packages: packages.tree, hash: packages.hash, cache, shared, file: at("kernel") });
    await makeInitramfs({
      image,
      packages: packages.tree,
      extraModules,
      work,
      file: at("initramfs"),
      sourceDate,
      level,
    });
  });
  await progress.step("boot slot and disk", () =>
    makeBoot({ root, board, meta, packages: packages.tree, verity, work, sourceDate, at }),
  );
  const [disk, bundle] = [`niac-${board}.img`, `niac-${board}.raucb`];
  await progress.step("compressed", async () => {
    const tight = level > 10 ? "-12" : "-3";
    await run("zstd", ["-q", "-f", "-T0", tight, at(disk), "-o", at(`${disk}.zst`)]);
  });
  await progress.step("signed update bundle", () =>
    makeBundle({
      board,
      version,
      description: `niac ${version} for ${what}`,
      boot: at("boot.vfat"),
      root: at("root.img"),
      keys,
      file: at(bundle),
    }),
  );
  await progress.step("bill of materials and licences", async () => {
    writeFileSync(at("sbom.cdx.json"), makeSbom(parts, { board, version, sourceDate }));
    writeFileSync(at("licences.txt"), licences);
  });
  const hash = await fileHash(at(disk));
  const rootFacts = { version, board, rootHash: verity.rootHash, hashOffset: verity.hashOffset };
  writeFileSync(at("root.json"), json(rootFacts));
  rmSync(work, { recursive: true, force: true });
  const manifest = {
    ...rootFacts,
    sourceDate,
    commit: source.commit,
    changed: source.changed,
    signing: signing === null ? "development" : "given",
    image: hash,
    builder: await builderPackages(),
    compiler: compiler.map(({ package: name, version: is, architecture, sha256 }) => ({
      package: name,
      version: is,
      architecture,
      sha256,
    })),
    debs: packages.debs,
  };
  writeFileSync(at("manifest.json.making"), json(manifest));
  renameSync(at("manifest.json.making"), at("manifest.json"));
  const size = (name: string): string =>
    `  ${at(name)}  ${(statSync(at(name)).size / 1_048_576).toFixed(0)} MiB`;
  say(`\nniac ${version} for ${what}\n`);
  say(`${size(`${disk}.zst`)}, the whole disk; unpacked SHA-256 ${hash}\n`);
  say(`${size(bundle)}, the same as a signed update\n`);
  say(`${size("root.img")}, verity root hash ${verity.rootHash}\n`);
  if (signing === null)
    say(
      `A development image: it trusts the updates of whoever has ${join(base, "keys")}. For boxes at work give --signing-cert, --signing-key and --signing-keyring.\n`,
    );
}

/** All that is made, but the manifest, which says that it is whole. */
function outputs(board: string): string[] {
  const disk = `niac-${board}.img`;
  const fixed =
    "root.img root.json kernel initramfs cmdline.txt boot.vfat bootcfg.vfat sbom.cdx.json licences.txt";
  return [...words(fixed), disk, `${disk}.zst`, `niac-${board}.raucb`];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function checkLock(
  path: string,
  { debs, kernels }: Pick<Extracted, "debs" | "kernels">,
  { locked, updateLock }: Pick<ImageOptions, "locked" | "updateLock">,
): void {
  const [newer] = newerKernels(kernelPackage(debs).package, kernels);
  if (newer !== undefined)
    say(
      `Debian has a newer kernel, ${newer}, which image/packages must name (image/README.md, "A new kernel").\n`,
    );
  if (updateLock) writeFileSync(path, lockText(debs));
  const differences = existsSync(path)
    ? lockDifferences(readFileSync(path, "utf8"), debs)
    : ["there is no lock file"];
  if (differences.length === 0) return;
  const told = `Debian's packages are not those of ${path}, so the image is another than the lock's:\n  ${differences.join("\n  ")}\n`;
  if (locked)
    throw new Error(
      `${told}An archive of Debian's mirror of that day has them: name it with NIAC_MIRROR and NIAC_SECURITY_MIRROR (image/README.md). Or take those of today with --update-lock, after a look at what changed.`,
    );
  say(told);
}

/** What every board has, and what this one has besides. */
function packageList(image: string, board: string): string[] {
  const own = join(image, "boards", board, "packages");
  return [...readList(join(image, "packages")), ...(existsSync(own) ? readList(own) : [])];
}
