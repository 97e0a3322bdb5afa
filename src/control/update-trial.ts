/** Trying an update: the firmware starts the new slot once, and only what is called good there becomes the default. */
import { messageOf, UnavailableError, UsageError } from "../base/index.ts";
import { courseOf } from "./update-course.ts";
import { updateDraft, type UpdateParts } from "./update-parts.ts";
import type { StoredUpdate } from "./update-store.ts";

export class UpdateTrial {
  readonly #parts: UpdateParts;
  /** This image runs on trial, and nobody has called it good yet. */
  #open: boolean;

  constructor(parts: UpdateParts) {
    this.#parts = parts;
    this.#open = parts.box.tryboot;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Control starts: what became of the last update. Gives the one whose installation must be followed. */
  async start(): Promise<StoredUpdate | null> {
    const { store, box, rauc, clock, log, lastFailure } = this.#parts;
    const update = store.last();
    const course = courseOf(update, box, lastFailure());
    if (update !== null) {
      if (course.do === "follow") return update;
      if (course.do === "rolled back") await this.#rolledBack(update, course.reason);
      if (course.do === "good") {
        if (!course.recorded) await this.#record("good", `${box.version} is the default already`, update);
        store.set(update, clock.now(), { state: "good" });
      }
      if (course.do === "wait again") {
        store.set(update, clock.now(), { state: "installed", boot: "" });
        // It may have been told or not: it is told again with the next wish to restart.
        await rauc
          .mark("bad", "other")
          .catch((error: unknown) =>
            log.warn({ reason: messageOf(error) }, "the firmware's one-shot flag may be set"),
          );
      }
    }
    this.#tell();
    return null;
  }

  /** Arms the firmware and restarts the box. Who has a session open keeps it unless `now`. */
  async restart(by: string, now: boolean): Promise<{ version: string; sessions: number }> {
    const { store, clock, box, rauc, sessions, restart } = this.#parts;
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
    await this.#record("trial", reason, update);
    const armed = store.set(update, clock.now(), { state: "trial", boot: box.bootId });
    try {
      await rauc.mark("active", "other");
    } catch (error) {
      store.set(armed, clock.now(), { state: "installed", boot: "" });
      await this.#record(
        "failed",
        `the firmware takes no trial: ${messageOf(error)}; the box does not restart`,
        update,
      );
      throw error;
    }
    restart();
    return { version: update.version, sessions: open };
  }

  /** Asked from outside until it is good. Once all is well, this image becomes the default; that is on record before it is so. */
  async confirm(): Promise<{ healthy: boolean; version: string; why: string[] }> {
    const { store, clock, box, rauc, unhealthy } = this.#parts;
    const { version } = box;
    if (!this.#open) return { healthy: true, version, why: [] };
    const why = await unhealthy();
    if (why.length > 0) return { healthy: false, version, why };
    const update = this.#current();
    const reason = `${version} in slot ${box.slot} is healthy, and becomes what the box starts`;
    if (update?.state !== "confirmed") await this.#record("good", reason, update);
    const confirmed = update && store.set(update, clock.now(), { state: "confirmed" });
    await rauc.mark("good", "booted");
    const primary = await rauc.primary();
    if (primary !== box.slot) {
      throw new UnavailableError(
        "update-default",
        `slot ${box.slot} was called good, and the firmware still starts slot ${primary ?? "?"} by default`,
      );
    }
    if (confirmed) store.set(confirmed, clock.now(), { state: "good" });
    this.#open = false;
    this.#tell();
    return { healthy: true, version, why: [] };
  }

  /** Nobody waits any longer. */
  async giveUp(why: string): Promise<void> {
    if (!this.#open) throw new UsageError("update-none", "nothing is on trial");
    const update = this.#current();
    if (update) await this.#rolledBack(update, why);
    else await this.#record("rolled-back", `${this.#parts.box.version} is left: ${why}`, null);
  }

  /** Somebody has read why the last one was left. */
  async dismiss(by: string): Promise<void> {
    const { store, clock } = this.#parts;
    const last = store.last();
    if (last?.state !== "rolled-back")
      throw new UsageError("update-none", "no update was left that nobody has looked at");
    await this.#record("dismissed", `${by} has seen why ${last.version} was left`, last);
    store.set(last, clock.now(), { state: "dismissed" });
    this.#tell();
  }

  /** The update that runs here; null: somebody else than control had it tried. */
  #current(): StoredUpdate | null {
    const last = this.#parts.store.last();
    return last?.slot === this.#parts.box.slot && ["installed", "trial", "confirmed"].includes(last.state)
      ? last
      : null;
  }

  async #rolledBack(update: StoredUpdate, why: string): Promise<void> {
    const { store, clock } = this.#parts;
    const reason = `${update.version} was tried and is left, the box goes back to ${update.from}: ${why}`;
    await this.#record("rolled-back", reason, update);
    store.set(update, clock.now(), { state: "rolled-back", reason: why.slice(0, 500) });
    this.#tell();
  }

  /** An update that was left needs a person's eye until another one is begun. */
  #tell(): void {
    const last = this.#parts.store.last();
    const left = last?.state === "rolled-back" ? last : null;
    this.#parts.fault(
      left && `the update to ${left.version} was left: ${left.reason}`,
      "See niac update; install another, or niac update dismiss.",
    );
  }

  async #record(
    action: "trial" | "good" | "failed" | "rolled-back" | "dismissed",
    reason: string,
    update: StoredUpdate | null,
  ): Promise<void> {
    const { audit, clock, box } = this.#parts;
    const unknown = {
      id: "",
      from: "",
      version: box.version,
      slot: box.slot,
      hash: "",
      by: "root",
      source: "",
    };
    const { ref, ...draft } = updateDraft(clock.now(), action, reason, update ?? unknown);
    await audit.append([update === null || ref === undefined ? draft : { ...draft, ref }], "now");
  }
}
