import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnavailableError } from "../../../src/base/index.ts";
import { testWith } from "../../support/tools.ts";
import { Bed, documentOf } from "../../unit/control/site.ts";

function large(name: string): string {
  return `${documentOf(name)}${"# a line of a long document\n".repeat(2_000)}`;
}

testWith("root")(
  "on a disk that is full a site document is refused, the old one serves, and later it is taken",
  async (t) => {
    const disk = mkdtempSync(join(tmpdir(), "niac-disk-"));
    t.teardown(() => rmSync(disk, { recursive: true, force: true }));
    const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], { encoding: "utf8" });
    if (mount.status !== 0) {
      t.log(`skipped: mount failed: ${mount.stderr}`);
      t.pass();
      return;
    }
    t.teardown(() => execFileSync("umount", ["-l", disk]));
    const bed = new Bed(join(disk, "niac.db"));
    t.teardown(() => void bed.db.close());
    await bed.site.apply(large("first"), "site.yaml", "engineer-1", "");
    const filler = join(disk, "filler");
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc((bavail - 4) * bsize));
    const error = await t.throwsAsync(bed.site.apply(large("second"), "site.yaml", "engineer-1", ""), {
      instanceOf: UnavailableError,
    });
    t.regex(error?.message ?? "", /full/);
    t.truthy(error?.advice);
    t.like(bed.site.snapshot, { version: 1, site: { name: "first" } });
    t.is(bed.changes.length, 1);
    rmSync(filler);
    t.is((await bed.site.apply(large("third"), "site.yaml", "engineer-1", "")).applied?.version, 2);
    t.like(bed.site.snapshot, { version: 2, site: { name: "third" } });
    t.is(bed.db.pragma("integrity_check", { simple: true }), "ok");
  },
);
