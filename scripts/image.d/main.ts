/** scripts/image: from the lists below image/ to a disk, step by step. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileOverlay } from "../hw.d/trees.ts";
import { makeApp, nodePackage } from "./app.ts";
import { makeBundle } from "./bundle.ts";
import { makeDisk, sizeOf } from "./disk.ts";
import { makeInitramfs, packKernel } from "./initramfs.ts";
import { kernelVersion } from "./kernel.ts";
import { developmentKeys } from "./keys.ts";
import { readList, readMeta } from "./lists.ts";
import { makeLicences } from "./licences.ts";
import { mirrorOf, type Mirror } from "./mirror.ts";
import { readOptions, type ImageOptions } from "./options.ts";
import { extractPackages, lockDifferences, lockText, type Deb } from "./packages.ts";
import { readParts } from "./parts.ts";
import { Progress } from "./progress.ts";
import { makeRoot } from "./root.ts";
import { makeSbom } from "./sbom.ts";
import { makeFat } from "./slot.ts";
import { sourceOf } from "./source.ts";
import { fileHash, run, textHash } from "./tools.ts";
import { copyTree } from "./tree.ts";
import { buildTryboot, kernelOf } from "./tryboot.ts";
import { makeRootImage } from "./verity.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const say = (text: string): void => void process.stderr.write(text);
const options = readOptions(process.argv.slice(2), root, say);
// Folders and files that no list gives a mode have this one's.
process.umask(0o022);
if (options !== null) {
  try {
    await make(options);
  } catch (error) {
    say(`\nscripts/image: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function make({
  board,
  version,
  signing,
  anew,
  locked,
  updateLock,
  level,
}: ImageOptions): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("making an image takes root: files in it belong to root");
  const image = join(root, "image");
  const meta = readMeta(join(image, "boards", board, "meta"));
  const base = join(root, "build/image");
  const [cache, out, work] = [join(base, "cache"), join(base, board), join(base, `${board}.work`)];
  rmSync(work, { recursive: true, force: true });
  for (const each of [cache, out, work]) mkdirSync(each, { recursive: true });
  const at = (name: string): string => join(out, name);
  const source = await sourceOf(root, process.env);
  const sourceDate = source.date;
  const mirror = mirrorOf(process.env);
  const progress = new Progress(10, say);

  const packages = await progress.step("Debian's packages, extracted", () =>
    extractPackages({ cache, names: packageList(image, board), mirror, anew }),
  );
  checkLock(join(image, "boards", board, "packages.lock"), packages.debs, { locked, updateLock });
  const keys = signing ?? (await developmentKeys(join(base, "keys")));
  const app = join(work, "app");
  const { metafile } = await progress.step("niac, bundled with Node", () =>
    makeApp({ root, out: app, cache, release: version }),
  );
  const drivers = words(meta["DRIVERS"]);
  const extraModules = await progress.step("kernel modules of our own", () =>
    Promise.all(
      drivers.map((name) => buildDriver(name, { image, cache, work, mirror, debs: packages.debs })),
    ),
  );
  const parts = readParts({
    root,
    tree: packages.tree,
    debs: packages.debs,
    asked: packageList(image, board).map((name) => name.replace(/\/.*/, "")),
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
    await packKernel(packages.tree, packages.hash, cache, at("kernel"));
    await makeInitramfs({ image, packages: packages.tree, work, file: at("initramfs"), sourceDate, level });
  });
  await progress.step("boot slot and disk", async () => {
    writeFileSync(at("cmdline.txt"), `${commandLine(meta, verity)}\n`);
    const slot = join(work, "slot");
    mkdirSync(slot);
    copyFileSync(at("kernel"), join(slot, "kernel8.img"));
    copyFileSync(at("initramfs"), join(slot, "initramfs8"));
    copyFileSync(at("cmdline.txt"), join(slot, "cmdline.txt"));
    const firmware = join(packages.tree, "usr/lib/raspi-firmware");
    for (const name of words(meta["FIRMWARE"])) copyFileSync(join(firmware, name), join(slot, name));
    const dtb = join(packages.tree, "usr/lib/modules", kernelVersion(packages.tree), "dtb");
    for (const name of words(meta["TREES"]))
      copyFileSync(join(dtb, name), join(slot, name.replace(/.*\//, "")));
    const extra = join(image, "boards", board, "slot");
    if (existsSync(extra)) {
      copyTree(extra, slot);
      mkdirSync(join(slot, "overlays"));
      await compileOverlay(join(root, "hw", board, "niac.dts"), join(slot, "overlays/niac.dtbo"));
    }
    await makeFat({
      file: at("boot.vfat"),
      size: sizeOf("boot_a"),
      label: "NIACBOOT",
      volumeId: "4e494143",
      tree: slot,
      sourceDate,
    });
    const config = join(work, "config");
    mkdirSync(config);
    writeFileSync(join(config, "autoboot.txt"), autoboot(2));
    await makeFat({
      file: at("bootcfg.vfat"),
      size: sizeOf("bootcfg"),
      label: "NIACCFG",
      volumeId: "4e494144",
      tree: config,
      sourceDate,
    });
    await makeDisk(at(`niac-${board}.img`), {
      bootcfg: at("bootcfg.vfat"),
      boot_a: at("boot.vfat"),
      root_a: at("root.img"),
    });
  });
  await progress.step("compressed", async () => {
    await run("zstd", [
      "-q",
      "-f",
      "-T0",
      level > 10 ? "-12" : "-3",
      at(`niac-${board}.img`),
      "-o",
      at(`niac-${board}.img.zst`),
    ]);
  });
  await progress.step("signed update bundle", () =>
    makeBundle({
      board,
      version,
      description: `niac ${version} for ${meta["WHAT"] ?? board}`,
      boot: at("boot.vfat"),
      root: at("root.img"),
      keys,
      file: at(`niac-${board}.raucb`),
    }),
  );
  await progress.step("bill of materials and licences", async () => {
    writeFileSync(at("sbom.cdx.json"), makeSbom(parts, { board, version, sourceDate }));
    writeFileSync(at("licences.txt"), licences);
  });
  const hash = await fileHash(at(`niac-${board}.img`));
  const rootFacts = { version, board, rootHash: verity.rootHash, hashOffset: verity.hashOffset };
  writeFileSync(at("root.json"), `${JSON.stringify(rootFacts, null, 2)}\n`);
  const { commit, changed } = source;
  const manifest = { ...rootFacts, sourceDate, commit, changed, image: hash, debs: packages.debs };
  writeFileSync(at("manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  rmSync(work, { recursive: true, force: true });
  const mib = (name: string): string => `${(statSync(at(name)).size / 1_048_576).toFixed(0)} MiB`;
  say(`\nniac ${version} for ${meta["WHAT"] ?? board}\n`);
  say(
    `  ${at(`niac-${board}.img.zst`)}  ${mib(`niac-${board}.img.zst`)}, the whole disk; unpacked SHA-256 ${hash}\n`,
  );
  say(`  ${at(`niac-${board}.raucb`)}  ${mib(`niac-${board}.raucb`)}, the same as a signed update\n`);
  say(`  ${at("root.img")}  ${mib("root.img")}, verity root hash ${verity.rootHash}\n`);
}

async function buildDriver(
  name: string,
  at: {
    readonly image: string;
    readonly cache: string;
    readonly work: string;
    readonly mirror: Mirror;
    readonly debs: readonly Deb[];
  },
): Promise<string> {
  const outFile = join(at.work, `niac_${name}.ko`);
  const { mirror, cache } = at;
  await buildTryboot({
    source: join(at.image, name),
    ...kernelOf(at.debs),
    mirror,
    cache,
    outFile,
    progress: () => {},
  });
  return outFile;
}

function checkLock(
  path: string,
  debs: readonly Deb[],
  { locked, updateLock }: { readonly locked: boolean; readonly updateLock: boolean },
): void {
  if (updateLock) writeFileSync(path, lockText(debs));
  const differences = existsSync(path)
    ? lockDifferences(readFileSync(path, "utf8"), debs)
    : ["there is no lock file"];
  if (differences.length === 0) return;
  const told = `Debian's packages are not those of ${path}, so the image is another than the lock's:\n  ${differences.join("\n  ")}\n`;
  if (locked) throw new Error(`${told}Take them with --update-lock, after a look at what changed.`);
  say(told);
}

/** What every board has, and what this one has besides. */
function packageList(image: string, board: string): string[] {
  const own = join(image, "boards", board, "packages");
  return [...readList(join(image, "packages")), ...(existsSync(own) ? readList(own) : [])];
}

function words(text = ""): string[] {
  return text.split(" ").filter((word) => word !== "");
}

/** The kernel's command line; who boots what is the firmware's to say (initramfs/init). */
function commandLine(
  meta: Readonly<Record<string, string>>,
  verity: { rootHash: string; hashOffset: number },
): string {
  return [
    `console=${meta["CONSOLE"] ?? ""}`,
    "quiet",
    "loglevel=4",
    "panic=10",
    "rd.systemd.gpt_auto=0",
    "systemd.gpt_auto=0",
    `niac.disks=${meta["DISKS"] ?? ""}`,
    `niac.roothash=${verity.rootHash}`,
    `niac.hashoffset=${verity.hashOffset}`,
  ].join(" ");
}

/** What the Pi's firmware reads first: the slot it starts, and the other one where the one-shot flag is set. */
function autoboot(partition: 2 | 3): string {
  return `[all]\ntryboot_a_b=1\nboot_partition=${partition}\n[tryboot]\nboot_partition=${5 - partition}\n`;
}
