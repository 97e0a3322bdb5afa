/** The parts of an image that are made from a tree are the same bytes for the same tree, whenever and wherever they are made. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDisk } from "../../../scripts/image.d/disk.ts";
import { makeFat } from "../../../scripts/image.d/slot.ts";
import { fileHash } from "../../../scripts/image.d/tools.ts";
import { makeRootImage } from "../../../scripts/image.d/verity.ts";
import { testWith } from "../../support/tools.ts";

const SOURCE_DATE = 1_790_000_000;

const withTools = testWith("mksquashfs", "veritysetup", "mkfs.vfat", "mcopy", "sfdisk");

withTools(
  "the same tree gives the same root, boot slot and disk, and one byte more gives others",
  async (t) => {
    const work = mkdtempSync(join(tmpdir(), "niac-image-"));
    t.teardown(() => rmSync(work, { recursive: true }));
    const first = makeTree(join(work, "here"), 1_500_000_000);
    const second = makeTree(join(work, "and/elsewhere"), 1_600_000_000);
    const other = makeTree(join(work, "other"), 1_500_000_000);
    writeFileSync(join(other, "etc/more"), "x");

    const one = await parts(first, join(work, "one"));
    t.deepEqual(await parts(second, join(work, "two")), one);
    const changed = await parts(other, join(work, "three"));
    for (const name of ["rootHash", "root", "slot", "disk"] as const) t.not(changed[name], one[name], name);
  },
);

function makeTree(at: string, changed: number): string {
  mkdirSync(join(at, "etc/below"), { recursive: true });
  for (const name of ["etc/a", "etc/b", "etc/below/c"]) {
    writeFileSync(join(at, name), `what is in ${name}\n`.repeat(1_000));
    utimesSync(join(at, name), changed, changed);
  }
  return at;
}

async function parts(
  tree: string,
  to: string,
): Promise<Record<"rootHash" | "root" | "slot" | "disk", string>> {
  mkdirSync(to, { recursive: true });
  const [root, slot, disk] = [join(to, "root.img"), join(to, "boot.vfat"), join(to, "disk.img")];
  const steady = { sourceDate: SOURCE_DATE, tree };
  // What is older than the build's date keeps its own; trees of packages have theirs from the packages.
  const copy = join(to, "tree");
  cpSync(tree, copy, { recursive: true });
  const { rootHash } = await makeRootImage({
    ...steady,
    tree: copy,
    file: root,
    level: 3,
    salt: "00".repeat(32),
    uuid: "6e696163-0000-4000-8000-000000000000",
  });
  await makeFat({ ...steady, file: slot, size: 64 * 1024 * 1024, label: "TEST", volumeId: "4e494143" });
  await makeDisk(disk, { boot_a: slot, root_a: root });
  return { rootHash, root: await fileHash(root), slot: await fileHash(slot), disk: await fileHash(disk) };
}
