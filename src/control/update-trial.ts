/** Trying an update: the firmware starts the new slot once, and only what is called good there becomes the default. */
import { messageOf, UnavailableError, UsageError } from "../base/index.ts";
import { courseOf } from "./update-course.ts";
import { STICKS, updateDraft, type UpdateParts } from "./update-parts.ts";
import type { StoredUpdate, UpdateChange } from "./update-store.ts";

export class UpdateTrial {
  readonly #parts: UpdateParts;
  /** This image runs on trial, and nobody has called it good yet. */
  #open: boolean;
  /** What makes it the default, while that is being done. */
  #committing: Promise<void> | null = null;
  /** That a trial which control knows no update for is good is on record. */
  #recorded = false;
  #givenUp = false;

  constructor(parts: UpdateParts) {
    this.#parts = parts;
    this.#open = parts.box.tryboot;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Control starts: what became of the last update. Gives the one whose installation must be followed. */
  async start(): Promise<StoredUpdate | null> {
    const { store, box, clock, lastFailure } = this.#parts;
    // The initramfs' word is of the start, and lasts as long: what was called good since then is on trial no more.
    if (this.#open && (await this.#isDefault())) this.#open = false;
    const update = store.last();
    const course = courseOf(update, { ...box, tryboot: this.#open }, lastFailure());
    if (update !== null) {
      if (course.do === "follow") return update;
      if (course.do === "rolled back") await this.#rolledBack(update, course.reason);
      if (course.do === "good") {
        await this.#good(update, course.recorded);
        // Whoever made it the default may have come no further than that: the floor is raised after it.
        await this.#attempt("good", "booted", "the floor of this image may not be the box's yet");
      }
      if (course.do === "wait again") {
        store.set(update, clock.now(), { state: "installed", boot: "" });
        // It may have been told or not: it is told again with the next wish to restart.
        await this.#attempt("bad", "other", "the firmware's one-shot flag may be set");
      }
    }
    this.tell();
    return null;
  }

  /** Arms the firmware and restarts the box. Who has a session open keeps it unless `now`. */
  async restart(by: string, now: boolean): Promise<{ version: string; sessions: number }> {
    const { store, box, rauc, sessions, restart } = this.#parts;
    const update = store.last();
    if (update === null || update.state !== "installed" || this.#open) {
      throw new UsageError(
        "update-none",
        this.#open
          ? `${box.version} is on trial, and is called good or left without a restart by hand`
          : "no update waits for a restart",
        "See niac update.",
      );
    }
    const open = await sessions();
    if (open > 0 && !now) {
      throw new UsageError(
        "update-sessions",
        open === 1 ? "one session is open and would end" : `${open} sessions are open and would end`,
        "Wait, or restart all the same: --now. See niac sessions.",
      );
    }
    const ends = open === 0 ? "no session is open" : `${open} sessions end`;
    const reason = `${by} restarts the box into slot ${update.slot} with ${update.version}, on trial; ${ends}`;
    await this.#record("trial", reason, update, { state: "trial", boot: box.bootId });
    let failed = "the firmware takes no trial";
    try {
      await rauc.mark("active", "other");
      failed = "the box is not restarted into a trial";
      restart();
    } catch (error) {
      // Its answer may be what was lost.
      await this.#attempt("bad", "other", "the firmware's one-shot flag may be set");
      const stays = `${failed}: ${messageOf(error)}; the box does not restart`;
      await this.#record("failed", stays, update, { state: "installed", boot: "" });
      throw error;
    }
    return { version: update.version, sessions: open };
  }

  /** Asked from outside until it is good. Once all is well, this image becomes the default; that is on record before it is so. */
  async confirm(): Promise<{ healthy: boolean; version: string; why: string[] }> {
    const { box, unhealthy } = this.#parts;
    const { version } = box;
    const good = { healthy: true, version, why: [] };
    if (!this.#open || (this.#calledGood(this.#current()) && (await this.#settled()))) return good;
    const why = await unhealthy();
    if (this.#givenUp) why.push("it was given up");
    if (why.length > 0) return { healthy: false, version, why };
    this.#committing ??= this.#commit().finally(() => (this.#committing = null));
    await this.#committing;
    return good;
  }

  /** Nobody waits any longer. What has become the default meanwhile is good all the same: the box would start it again. */
  async giveUp(why: string): Promise<{ healthy: boolean; version: string }> {
    if (!this.#open) throw new UsageError("update-none", "nothing is on trial");
    const { version } = this.#parts.box;
    this.#givenUp = true;
    // Whoever asked for it hears how it ended; here only that it has.
    await this.#committing?.catch(() => undefined);
    if (!this.#open || (await this.#settled())) return { healthy: true, version };
    const update = this.#current();
    if (update) await this.#rolledBack(update, why);
    else await this.#record("rolled-back", `${version} is left: ${why}`, null);
    return { healthy: false, version };
  }

  /** Somebody has read why the last one was left, or not installed from a stick. */
  async dismiss(by: string): Promise<void> {
    const last = this.#parts.store.last();
    const left = last?.state === "rolled-back";
    if (last === null || !(left || this.#failedUnseen(last)))
      throw new UsageError("update-none", "no update was left that nobody has looked at");
    const reason = `${by} has seen why ${last.version} was ${left ? "left" : "not installed"}`;
    await this.#record("dismissed", reason, last, left ? { state: "dismissed" } : {});
    this.tell();
  }

  /** An update that was left needs a person's eye until another one is begun; so does one that a stick failed to bring, for nobody sat before it. */
  tell(): void {
    const { store, fault, box } = this.#parts;
    const { damaged, slot } = box;
    const last = store.last();
    if (last?.state === "rolled-back") {
      const why = `the update to ${last.version} was left: ${last.reason}`;
      fault(why, "See niac update; install another, or niac update dismiss.");
    } else if (last !== null && this.#failedUnseen(last)) {
      const why = `the update to ${last.version} from a USB stick was not installed: ${last.reason}`;
      fault(why, "Plug the stick in again, or take another one; or niac update dismiss.");
    } else if (damaged !== null && !(last?.slot === damaged && last.state === "installed")) {
      const why = `slot ${damaged} is damaged: the box could not be started from it, and runs from slot ${slot}`;
      fault(why, "The next update is written there anew; where it comes again, take another card.");
    } else fault(null);
  }

  #failedUnseen({ id, state, source }: StoredUpdate): boolean {
    return (
      state === "failed" &&
      source.startsWith(STICKS) &&
      !this.#parts.audit.related(id).some(({ detail }) => detail?.["action"] === "update-dismissed")
    );
  }

  /** The update that runs here; null: somebody else than control had it tried. */
  #current(): StoredUpdate | null {
    const last = this.#parts.store.last();
    return last?.slot === this.#parts.box.slot && ["installed", "trial", "confirmed"].includes(last.state)
      ? last
      : null;
  }

  async #commit(): Promise<void> {
    const { box, rauc } = this.#parts;
    const update = this.#current();
    const instead = box.damaged === null ? "" : `; slot ${box.damaged} of the card is damaged`;
    const reason = `${box.version} in slot ${box.slot} is healthy, and becomes what the box starts${instead}`;
    if (!this.#calledGood(update)) await this.#record("good", reason, update, { state: "confirmed" });
    this.#recorded = true;
    await rauc.mark("good", "booted");
    const primary = await rauc.primary();
    if (primary !== box.slot) {
      throw new UnavailableError(
        "update-default",
        `slot ${box.slot} was called good, and the firmware still starts slot ${primary ?? "?"} by default`,
      );
    }
    await this.#good(this.#current(), true);
  }

  /** A commit that was made and whose answer was lost is one: what the box starts by default is not left any more. */
  async #settled(): Promise<boolean> {
    if (!(await this.#isDefault())) return false;
    const update = this.#current();
    await this.#good(update, this.#calledGood(update));
    return true;
  }

  /** That it is good is on record, and it was to become the default. */
  #calledGood(update: StoredUpdate | null): boolean {
    return this.#recorded || update?.state === "confirmed";
  }

  async #good(update: StoredUpdate | null, recorded: boolean): Promise<void> {
    const { store, clock, box } = this.#parts;
    if (!recorded)
      await this.#record("good", `${box.version} is the default already`, update, { state: "good" });
    else if (update) store.set(update, clock.now(), { state: "good" });
    this.#open = false;
    this.tell();
  }

  /** False, too, where nobody says: nothing is called good, and what became of it is seen at the next start. */
  async #isDefault(): Promise<boolean> {
    const { rauc, box, log } = this.#parts;
    try {
      return (await rauc.primary()) === box.slot;
    } catch (error) {
      log.warn(
        { reason: messageOf(error) },
        "what the firmware starts by default is not known: the trial goes on",
      );
      return false;
    }
  }

  /** What is worth a try, and `otherwise` a line in the journal. */
  async #attempt(state: "good" | "bad", slot: "booted" | "other", otherwise: string): Promise<void> {
    const { rauc, log } = this.#parts;
    await rauc.mark(state, slot).catch((error: unknown) => log.warn({ reason: messageOf(error) }, otherwise));
  }

  async #rolledBack(update: StoredUpdate, why: string): Promise<void> {
    const reason = `${update.version} was tried and is left, the box goes back to ${update.from}: ${why}`;
    await this.#record("rolled-back", reason, update, { state: "rolled-back", reason: why.slice(0, 500) });
    this.tell();
  }

  /** With what it makes of the update. `update` null: control knows of none. */
  async #record(
    action: "trial" | "good" | "failed" | "rolled-back" | "dismissed",
    reason: string,
    update: StoredUpdate | null,
    change: UpdateChange = {},
  ): Promise<void> {
    const { audit, clock, store, box } = this.#parts;
    const now = clock.now();
    if (update !== null) {
      await audit.append(
        [updateDraft(now, action, reason, update)],
        "now",
        () => void store.set(update, now, change),
      );
      return;
    }
    const { version, slot } = box;
    const unknown = { id: "", from: "", version, slot, hash: "", by: "root", source: "" };
    const { ref: _ref, ...draft } = updateDraft(now, action, reason, unknown);
    await audit.append([draft], "now");
  }
}
