/**
 * A box at work, on one start of it: what needs no start of its own, and leaves the box to the next test as it was. Then what starts it again,
 * and last its clock, which stands otherwise afterwards.
 */
import { testWithBox } from "../support/box/shared.ts";
import { UpdateBed } from "../support/box/update-bed.ts";
import { clockAndChip, TIME_SERVER } from "./at-work/clock.ts";
import { everyPort } from "./at-work/every-port.ts";
import { hangs } from "./at-work/hangs.ts";
import { KEY_GRANT, LINE, panel } from "./at-work/panel.ts";
import { refusedUpdates } from "./at-work/refused-updates.ts";
import { wear } from "./at-work/wear.ts";

const check = testWithBox((t) =>
  UpdateBed.start(t, { parts: { network: TIME_SERVER, services: LINE, more: KEY_GRANT } }),
);

wear(check);
everyPort(check);
panel(check);
refusedUpdates(check);
hangs(check);
clockAndChip(check);
