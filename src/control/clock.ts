import type { Logger } from "pino";
import type { ClockSystem } from "../appliance/index.ts";
import type { AuditLog } from "../audit/index.ts";
import { messageOf, UnavailableError, UsageError, type Channel, type Clock } from "../base/index.ts";
import { clockAccept, clockSet, clockShow, type ClockView } from "../link/index.ts";
import { jumpWords, serversFault, sourceOf, unsetFault, type ClockStanding } from "./clock-words.ts";
import { boxDraft } from "./panel-words.ts";
import type { TrustKeeper } from "./trust.ts";

/** What the script that sets the clock takes (image/rootfs/usr/lib/niac/clock-set): from the image's own year to the end of chips' time. */
export const CLOCK_BOUNDS = Object.freeze({
  first: Date.UTC(2026, 0, 1),
  end: Date.UTC(2100, 0, 1),
});

/** Milliseconds between looks at the time servers; until a start without a chip has had its chance to hear from them. */
const LOOK = 15_000;
const UNSET_FOR = 3 * 60_000;
/** Milliseconds by which clock and steady clock may differ between two looks: what is more was no correction, but another time. */
const JUMP = 2_000;
/** Looks until a jump is on record: what chrony says comes later than what it does. */
const LOOKS = 2;

export interface ClockParts {
  readonly audit: Pick<AuditLog, "append">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly trust: Pick<TrustKeeper, "clock" | "acceptClock">;
  /** Null: this computer was not started from niac's image, and its clock is its own matter. */
  readonly system: ClockSystem | null;
  /** See Box.fault. */
  readonly fault: (source: string, why: string | null, advice: string) => void;
}

/** The box's clock: who sets it, which servers it follows, and what is wrong with those. */
export class ClockDesk {
  readonly #parts: ClockParts;
  readonly #since: number;
  #setting = false;
  /** The clock's time less that of the steady clock. */
  #apart: number;
  #jump: { readonly by: number; readonly to: number; looks: number } | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ClockParts) {
    this.#parts = parts;
    this.#since = parts.clock.monotonic();
    this.#apart = parts.clock.now() - this.#since;
  }

  /** From now on what the servers say is looked at. */
  start(): void {
    if (this.#parts.system !== null) this.#timer = setInterval(() => this.look(), LOOK);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Answers one command's channel. */
  serve(channel: Channel): void {
    channel.handle(clockShow, () => this.show());
    channel.handle(clockAccept, async ({ by }) => {
      await this.#parts.trust.acceptClock(by);
      return this.show();
    });
    channel.handle(clockSet, ({ time, by }) => this.set(time, by));
  }

  show(): ClockView {
    const { system, trust } = this.#parts;
    const times = trust.clock();
    if (system === null) return { ...times, source: { from: "computer" }, servers: [] };
    const standing = standingOf(system);
    return { ...times, source: sourceOf(standing), servers: [...standing.following.servers] };
  }

  /** A site document names these. */
  follow(servers: readonly string[]): void {
    const { system, fault } = this.#parts;
    if (system === null) return;
    try {
      system.follow(servers);
      fault("time servers", null, "");
    } catch (error) {
      const why = `the box does not ask the site document's time servers: ${messageOf(error)}`;
      fault("time servers", why, "Restart the box.");
    }
  }

  /** Time has passed. */
  look(): void {
    const { system, clock, fault } = this.#parts;
    if (system === null) return;
    const standing = standingOf(system);
    this.#recordJump(standing);
    const servers = serversFault(standing.following);
    fault("time server", servers.why, servers.advice);
    if (clock.monotonic() - this.#since < UNSET_FOR) return;
    const unset = unsetFault(standing);
    fault("time", unset.why, unset.advice);
  }

  /** `time`: milliseconds since the epoch, meant for the moment of the call. On record before it is done; so is that it was not done. */
  async set(time: number, by: string): Promise<{ clock: ClockView; chip: "set" | "none" | "failed" }> {
    const { audit, clock } = this.#parts;
    const asked = clock.monotonic();
    const system = this.#mayBeSet(time);
    this.#setting = true;
    try {
      const from = clock.now();
      const words = `${by} sets the clock from ${new Date(from).toISOString()} to ${new Date(time).toISOString()}`;
      await audit.append([boxDraft(from, "clock-set", words, { by, from, to: time })], "now");
      const seconds = Math.round((time + clock.monotonic() - asked) / 1_000);
      const chip = await system.set(seconds).catch(async (error: unknown) => {
        const why = `${messageOf(error)}; ${by} wanted it at ${new Date(time).toISOString()}`;
        await audit.append([boxDraft(clock.now(), "clock-not-set", why, { by, to: time })], "now");
        throw error;
      });
      // This jump is on record already.
      this.#apart = clock.now() - clock.monotonic();
      this.look();
      return { clock: this.show(), chip };
    } finally {
      this.#setting = false;
    }
  }

  /** Hours of grants and ends of certificates are judged by the clock: who reads the record must see where it became another. */
  #recordJump(standing: ClockStanding): void {
    const { audit, clock, log } = this.#parts;
    const apart = clock.now() - clock.monotonic();
    const by = apart - this.#apart;
    const jumped = !this.#setting && Math.abs(by) >= JUMP;
    const due = this.#jump;
    if (due !== null && (jumped || ++due.looks >= LOOKS)) {
      this.#jump = null;
      const { text, detail } = jumpWords(due.by, due.to, sourceOf(standing));
      audit.append([boxDraft(clock.now(), "clock-jumped", text, detail)], "soon").catch((error: unknown) => {
        this.#jump ??= due;
        log.warn({ reason: messageOf(error) }, "that the clock jumped is not on record yet");
      });
    }
    if (!jumped) return;
    this.#apart = apart;
    this.#jump = { by, to: clock.now(), looks: 0 };
  }

  #mayBeSet(time: number): ClockSystem {
    const { system } = this.#parts;
    if (system === null)
      throw new UnavailableError(
        "no-image",
        "this appliance was not started from niac's image, and does not set this computer's clock",
        "Set it with the computer's own tools (timedatectl, chrony); niac clock shows what niac makes of it.",
      );
    const { first, end } = CLOCK_BOUNDS;
    if (time < first || time >= end)
      throw new UsageError(
        "clock-bounds",
        `the clock is not set to ${new Date(time).toISOString()}: it takes times from ${day(first)} until ${day(end)}`,
        "Look at the year.",
      );
    if (this.#setting)
      throw new UnavailableError(
        "clock-busy",
        "the clock is being set by somebody else now",
        "Look at niac clock.",
      );
    return system;
  }
}

function standingOf(system: ClockSystem): ClockStanding {
  return { following: system.following(), setTo: system.setTo(), chip: system.chip() };
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
