/** How fast the card wears: the one measurement here that is of time by its nature. */
import { WRITTEN } from "../../support/box/bed.ts";
import type { Check } from "../../support/box/shared.ts";
import type { UpdateBed } from "../../support/box/update-bed.ts";

/**
 * Milliseconds that writes are counted for. A box that is idle writes when a minute has come round; a busy one with each of six operations,
 * which are all alike.
 */
const COUNTED = { idle: 60_000, busy: 30_000 } as const;
const DAY = 86_400_000;
/** Milliseconds from one write to the next while it is busy; each is a session of its own, and a read after it another. */
const EVERY = 5_000;
/** Bytes a day: busy, what a small industrial card bears for ten years (some 30 TB). */
const MOST = { idle: 500e6, busy: 8e9 } as const;

export function wear(check: Check<UpdateBed>): void {
  check("what is written to the card, idle and busy", async (t, { bed }) => {
    const { box } = bed;
    await bed.ready();
    const counted = async (name: "idle" | "busy", meanwhile: () => Promise<void>): Promise<void> => {
      const before = await box.card.counts();
      const began = Date.now();
      await meanwhile();
      const aDay =
        ((await box.card.counts()).bytesWritten - before.bytesWritten) * (DAY / (Date.now() - began));
      t.log(`${name}: ${(aDay / 1e6).toFixed(0)} MB a day`);
      t.true(aDay < MOST[name], `${name}: ${aDay} bytes a day`);
    };
    await counted("idle", () => new Promise((resolve) => setTimeout(resolve, COUNTED.idle)));
    await counted("busy", async () => {
      const end = Date.now() + COUNTED.busy;
      for (let value = 0; Date.now() < end; value++) {
        const next = Date.now() + EVERY;
        t.is(await bed.write(WRITTEN, value % 100), "written");
        t.is(await bed.read(WRITTEN), String(value % 100));
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
      }
    });
  });
}
