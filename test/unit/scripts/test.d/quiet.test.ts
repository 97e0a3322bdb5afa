import { setImmediate as nextTurn } from "node:timers/promises";
import test from "ava";
import { Quiet } from "../../../../scripts/test.d/quiet.ts";

/** Work that ends when it is told to, and says when it began and ended. */
function bed() {
  const quiet = new Quiet();
  const said: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async (): Promise<string> => {
    said.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    said.push(`${name} ends`);
    return name;
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await nextTurn();
  };
  return { quiet, said, work, end };
}

async function fails(): Promise<never> {
  await nextTurn();
  throw new Error("no");
}

test("what may run beside others does", async (t) => {
  const { quiet, said, work, end } = bed();
  const both = Promise.all([quiet.beside(work("a")), quiet.beside(work("b"))]);
  await nextTurn();
  t.deepEqual(said, ["a begins", "b begins"]);
  await end("a");
  await end("b");
  t.deepEqual(await both, ["a", "b"]);
});

test("what must run alone waits for all, and all that comes later waits for it", async (t) => {
  const { quiet, said, work, end } = bed();
  const all = [quiet.beside(work("a")), quiet.beside(work("b")), quiet.alone(work("alone"))];
  await nextTurn();
  all.push(quiet.beside(work("late")), quiet.alone(work("second")));
  await end("a");
  await end("b");
  t.deepEqual(said.slice(2), ["a ends", "b ends", "alone begins"]);
  await end("alone");
  t.deepEqual(said.slice(5), ["alone ends", "second begins"], "who must be alone goes first");
  await end("second");
  await nextTurn();
  t.deepEqual(said.slice(7), ["second ends", "late begins"]);
  await end("late");
  t.deepEqual(await Promise.all(all), ["a", "b", "alone", "late", "second"]);
});

test("work that fails keeps nobody waiting", async (t) => {
  const { quiet, work, end } = bed();
  const failures = [quiet.beside(fails), quiet.alone(fails), quiet.alone(fails)];
  for (const { status } of await Promise.allSettled(failures)) t.is(status, "rejected");
  const after = quiet.beside(work("after"));
  await nextTurn();
  await end("after");
  t.is(await after, "after");
});
