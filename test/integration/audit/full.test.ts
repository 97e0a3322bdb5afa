import { spawnSync } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { AuditLog, openDatabase } from "../../../src/audit/index.ts";
import type { BugError } from "../../../src/base/index.ts";
import { smallDisk } from "../../support/disk.ts";
import { testWith } from "../../support/tools.ts";
import { directory, plain } from "../../unit/audit/samples.ts";

testWith("root")(
  "on a disk that is full the log refuses, loses nothing, and goes on when there is room",
  async (t) => {
    const disk = smallDisk(t, 2);
    const fatal: BugError[] = [];
    const db = openDatabase(join(disk, "niac.db"));
    t.teardown(() => db.close());
    const log = new AuditLog(db, "niac-1", { onFatal: (error) => fatal.push(error) });
    await log.append(plain(10), "now");
    const filler = join(disk, "filler");
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc((bavail - 20) * bsize));

    const acknowledged = new Map<string, number>();
    let refused = plain(0);
    while (refused.length === 0) {
      const drafts = plain(5, { reason: "r".repeat(1_000) });
      try {
        const { indexes } = await log.append(drafts, "now");
        for (const [at, each] of drafts.entries()) acknowledged.set(each.id, indexes[at]!);
      } catch (error) {
        t.like(error, { name: "UnavailableError", code: "audit-full" });
        refused = drafts;
      }
    }
    t.is(log.state, "full");
    t.is(log.size, 10 + acknowledged.size);
    for (let again = 0; again < 3; again++) {
      await t.throwsAsync(log.append(refused, "now"), { code: "audit-full" });
    }
    for (const each of refused) t.is(log.byId(each.id), undefined);

    rmSync(filler);
    const { indexes } = await log.append(refused, "now");
    t.deepEqual(
      indexes,
      [0, 1, 2, 3, 4].map((at) => 10 + acknowledged.size + at),
    );
    t.is(log.state, "writing");
    for (const [id, index] of acknowledged) t.is(log.get(index)?.id, id);
    t.is(new AuditLog(db, "niac-1").size, log.size);
    t.is(db.pragma("integrity_check", { simple: true }), "ok");
    t.deepEqual(fatal, []);
  },
);

test("an error of the disk that is not its being full stops the log", (t) => {
  const path = join(directory(t), "niac.db");
  openDatabase(path).close();
  const appender = join(import.meta.dirname, "appender.ts");
  // A limit on the size of files, its signal ignored, makes write() fail with EFBIG: SQLite says SQLITE_IOERR_WRITE.
  const script = `trap '' XFSZ; ulimit -f 400; exec "$@"`;
  const child = spawnSync("sh", ["-c", script, "sh", process.execPath, appender, path, "4", "run"], {
    encoding: "utf8",
  });
  const lines = child.stdout.trim().split("\n");
  const end: unknown = JSON.parse(lines.pop() ?? "");
  t.like(end, { code: "audit-doubt", fatal: ["audit-doubt"], state: "stopped" });
  const db = openDatabase(path);
  t.teardown(() => db.close());
  const log = new AuditLog(db, "niac-1");
  t.true(lines.length > 10);
  for (const line of lines) {
    const [index, id] = line.split(" ");
    t.is(log.get(Number(index))?.id, id);
  }
});
