import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { draft, openLog } from "./samples.ts";

test("a change is there with its records, and not without them", async (t) => {
  const { db, log } = openLog(t);
  db.exec("CREATE TABLE things (name TEXT PRIMARY KEY) STRICT");
  const add = (name: string) => (): void => void db.prepare("INSERT INTO things VALUES (?)").run(name);
  const names = (): unknown[] => db.prepare("SELECT name FROM things ORDER BY name").pluck().all();

  await log.append([draft()], "now", add("one"));
  t.deepEqual(names(), ["one"]);
  t.is(log.size, 1);

  const taken = draft();
  await log.append([taken], "now");
  await t.throwsAsync(log.append([{ ...taken, reason: "another" }], "now", add("two")), {
    code: "audit-id",
  });
  t.deepEqual(names(), ["one"], "a record that is refused takes its change along");
});

test("a change that cannot be made takes its records along, and those of nobody else", async (t) => {
  const { db, log } = openLog(t);
  db.exec("CREATE TABLE things (name TEXT PRIMARY KEY) STRICT");
  const add = (name: string) => (): void => void db.prepare("INSERT INTO things VALUES (?)").run(name);
  const [first, second, third, fourth] = await Promise.allSettled([
    log.append([draft()], "now", add("one")),
    log.append([draft(), draft()], "now", () => {
      add("two")();
      throw new UsageError("changed-mind", "not after all");
    }),
    log.append([draft()], "now", add("one")),
    log.append([draft()], "now"),
  ]);
  t.is(first?.status, "fulfilled");
  t.like(second, { status: "rejected", reason: { code: "changed-mind" } });
  t.like(third, { status: "rejected", reason: { code: "SQLITE_CONSTRAINT_PRIMARYKEY" } });
  t.like(fourth, { status: "fulfilled", value: { indexes: [1] } });
  t.is(log.size, 2);
  t.is(log.state, "writing");
  t.deepEqual(db.prepare("SELECT name FROM things").pluck().all(), ["one"]);
});
