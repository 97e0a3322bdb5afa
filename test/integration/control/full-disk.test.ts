import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "../../../src/base/index.ts";
import { smallDisk } from "../../support/disk.ts";
import { testWith } from "../../support/tools.ts";
import { Bed, documentOf } from "../../unit/control/site.ts";

function large(name: string): string {
  return `${documentOf(name)}${"# a line of a long document\n".repeat(2_000)}`;
}

testWith("root")(
  "on a disk that is full a site document is refused, the old one serves, and later it is taken",
  async (t) => {
    const disk = smallDisk(t, 2);
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
