import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { parseDrafts, type RecordDraft } from "../../../src/audit/index.ts";
import { UnavailableError } from "../../../src/base/index.ts";
import { Outbox } from "../../../src/isolation/outbox.ts";

const MOST_KEPT = 5_000;

function drafts(count: number, first = 0): RecordDraft[] {
  return Array.from({ length: count }, (_, i) => ({
    time: first + i,
    kind: "flow.refused",
    id: `r${first + i}`,
  }));
}

function idsOf(list: readonly RecordDraft[]): string[] {
  return list.map(({ id }) => id ?? "");
}

/** The other end: what was acknowledged, and the batches as they came. */
class Store {
  readonly batches: number[] = [];
  readonly kept: RecordDraft[] = [];
  readonly append = async (batch: readonly RecordDraft[]): Promise<void> => {
    this.batches.push(batch.length);
    await turn();
    this.kept.push(...batch);
  };
}

/** Takes batches and acknowledges none, until it breaks. */
class Break {
  readonly tried: string[][] = [];
  #fail: () => void = () => undefined;
  readonly append = (batch: readonly RecordDraft[]): Promise<void> => {
    this.tried.push(idsOf(batch));
    return new Promise((_, reject) => {
      this.#fail = () => reject(new UnavailableError("channel-closed", "control is away"));
    });
  };
  fail(): void {
    this.#fail();
  }
}

function outbox(): Outbox {
  return new Outbox(() => "lost");
}

test("records go out in order, in batches of 500, whether they came before control or after", async (t) => {
  const [box, store] = [outbox(), new Store()];
  box.add(drafts(700));
  t.deepEqual(store.batches, []);
  box.connect(store.append);
  box.add(drafts(100, 700));
  await box.drain();
  t.deepEqual(store.batches, [500, 300]);
  t.deepEqual(idsOf(store.kept), idsOf(drafts(800)));
});

test("drain resolves at once where nothing waits, or nobody takes it", async (t) => {
  const box = outbox();
  t.is(await box.drain(), undefined);
  box.add(drafts(1));
  t.is(await box.drain(), undefined);
});

test("what was not acknowledged is handed in again under the same ids after a break, and in order", async (t) => {
  const [box, broken, store] = [outbox(), new Break(), new Store()];
  box.connect(broken.append);
  box.add(drafts(3));
  box.add(drafts(2, 3));
  broken.fail();
  await box.drain();
  t.deepEqual(broken.tried, [["r0", "r1", "r2"]], "one at a time");
  box.connect(null);
  box.add(drafts(1, 5));
  box.connect(store.append);
  await box.drain();
  t.deepEqual(idsOf(store.kept), idsOf(drafts(6)));
});

test("a new channel takes over from one that never answered, once that has failed", async (t) => {
  const [box, broken, store] = [outbox(), new Break(), new Store()];
  box.connect(broken.append);
  box.add(drafts(2));
  box.connect(store.append);
  await turn();
  t.deepEqual(store.batches, [], "the same records are not under way twice");
  broken.fail();
  await box.drain();
  t.deepEqual(idsOf(store.kept), ["r0", "r1"]);
});

test("control refuses once: the next record, or the next look at what is due, tries again", async (t) => {
  const [box, store] = [outbox(), new Store()];
  let full = true;
  box.connect((batch) =>
    full ? Promise.reject(new UnavailableError("disk-full", "the disk is full")) : store.append(batch),
  );
  box.add(drafts(1));
  await box.drain();
  full = false;
  box.add([]);
  await box.drain();
  t.deepEqual(idsOf(store.kept), ["r0"]);
});

test("beyond what is kept, records are counted, and the count is on record once control is back", async (t) => {
  const [box, store] = [outbox(), new Store()];
  box.add(drafts(MOST_KEPT));
  box.add(drafts(7, MOST_KEPT));
  box.connect(store.append);
  await box.drain();
  t.deepEqual(idsOf(store.kept), [...idsOf(drafts(MOST_KEPT)), "lost"]);
  t.like(store.kept.at(-1), {
    kind: "network",
    reason: "7 records of refused packets and flows were lost while control was away",
  });
  box.add(drafts(1, 9_000));
  await box.drain();
  t.is(store.kept.at(-1)?.id, "r9000", "it is told once");
});

test("exactly as many as are kept: none is lost, and none is said to be", async (t) => {
  const [box, store] = [outbox(), new Store()];
  box.add(drafts(MOST_KEPT));
  box.connect(store.append);
  await box.drain();
  t.deepEqual(idsOf(store.kept), idsOf(drafts(MOST_KEPT)));
});

test("a record that control never takes is left out with its reason, and those beside it go on", async (t) => {
  const [box, store] = [outbox(), new Store()];
  const strict = async (batch: readonly RecordDraft[]): Promise<void> =>
    store.append(parseDrafts(JSON.parse(JSON.stringify(batch))));
  const wrong: RecordDraft = { time: 1, kind: "flow.refused", id: "has a space", reason: "what it was" };
  box.add([...drafts(2), wrong, ...drafts(2, 2)]);
  box.connect(strict);
  await box.drain();
  t.deepEqual(idsOf(store.kept), ["r0", "r1", "r2", "r3", "lost"]);
  t.regex(store.kept.at(-1)?.reason ?? "", /refused by control and is lost: what it was/);
});
