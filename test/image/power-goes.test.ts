/** What the power's going leaves, how long the way back takes, and what the card is written. */
import { ALLOWED, BoxBed } from "../support/box/bed.ts";
import { testWithBox } from "../support/box/shared.ts";
import type { CardCounts } from "../support/box/card.ts";
import { SEED } from "../support/box/seed.ts";

/** Milliseconds that writes are counted for, idle and busy. */
const COUNTED = 60_000;
const DAY = 86_400_000;
/** Milliseconds from one write to the next while it is busy; each is a session of its own, and a read after it another. */
const EVERY = 5_000;
/** Bytes a day: busy, what a small industrial card bears for ten years (some 30 TB). */
const MOST = { idle: 500e6, busy: 8e9 } as const;

const check = testWithBox((t) => BoxBed.start(t));

check("the card of this bed forgets what was not flushed, and keeps what was", async (t, { box }) => {
  await box.out("echo kept >/data/kept && sync && echo lost >/data/lost");
  const lost = await box.cut(SEED);
  t.log(`${lost} blocks were lost`);
  await box.on();
  t.is(await box.out("cat /data/kept; cat /data/lost 2>/dev/null || :"), "kept");
});

check("from power to the first permitted read, with nobody at the box", async (t, bed) => {
  const { box } = bed;
  await box.cut(SEED);
  await box.on();
  const began = box.boot.began;
  const read = await bed.firstRead();
  t.log(`first permitted read ${((read - began) / 1000).toFixed(1)} s after the power`);
  t.true(read > began);
  await bed.ready();
  t.log(await box.out("systemd-analyze; systemd-analyze critical-chain --no-pager | head -30"));
  t.is(await box.out("systemctl --failed --plain --no-legend"), "");
  t.true((await bed.recordIsWhole()) > 0);
});

check("what is written to the card, idle and busy", async (t, bed) => {
  const { box } = bed;
  await bed.ready();
  const counted = async (name: "idle" | "busy", meanwhile: () => Promise<void>): Promise<void> => {
    const before = await box.card.counts();
    const began = Date.now();
    await meanwhile();
    const aDay = (total(await box.card.counts()) - total(before)) * (DAY / (Date.now() - began));
    t.log(`${name}: ${(aDay / 1e6).toFixed(0)} MB a day`);
    t.true(aDay < MOST[name], `${name}: ${aDay} bytes a day`);
  };
  await counted("idle", () => new Promise((resolve) => setTimeout(resolve, COUNTED)));
  await counted("busy", async () => {
    const end = Date.now() + COUNTED;
    for (let value = 0; Date.now() < end; value++) {
      const next = Date.now() + EVERY;
      t.is(await bed.write(ALLOWED, value % 100), "written");
      t.is(await bed.read(ALLOWED), String(value % 100));
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
    }
  });
});

function total({ bytesWritten }: CardCounts): number {
  return bytesWritten;
}
