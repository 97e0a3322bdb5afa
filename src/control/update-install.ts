/** Installing an update: checked, recorded, written by RAUC into the slot that does not run, and looked at afterwards. */
import { randomUUID } from "node:crypto";
import { isAbsolute } from "node:path";
import { mayInstall, otherSlot, type BundleFacts, type InstallWish } from "../appliance/index.ts";
import { BugError, messageOf, NiacError, UnavailableError, UsageError } from "../base/index.ts";
import type { RecordDraft } from "../audit/index.ts";
import type { UpdateProgress } from "../link/index.ts";
import { boxDraft } from "./panel.ts";
import { updateDraft, type UpdateParts } from "./update-parts.ts";
import type { StoredUpdate } from "./update-store.ts";

/** Milliseconds between looks at how far RAUC is, and for which it may give no answer: it may have to be started first. */
const LOOK = 1_000;
const AWAY = 60_000;

interface Asked extends InstallWish {
  readonly source: string;
  readonly by: string;
}

/** A bundle that may be installed, and where it was looked at: the path, or the URL in its normal form. */
export interface Checked extends BundleFacts {
  readonly source: string;
}

export class UpdateInstaller {
  readonly #parts: UpdateParts;
  readonly #onTrial: () => boolean;
  readonly #look: number;
  #busy: { readonly source: string; readonly by: string } | null = null;
  #progress: UpdateProgress = { percent: 0, step: "" };
  readonly #listeners = new Set<(progress: UpdateProgress) => void>();
  #stopped = false;

  /** `onTrial`: what runs is not called good yet. */
  constructor(parts: UpdateParts, onTrial: () => boolean, look = LOOK) {
    this.#parts = parts;
    this.#onTrial = onTrial;
    this.#look = look;
  }

  /** Null: nothing is being installed. */
  get progress(): UpdateProgress | null {
    return this.#busy === null ? null : this.#progress;
  }

  /** Throws an UnavailableError that says who installs what. */
  mustBeIdle(): void {
    if (this.#busy === null) return;
    throw new UnavailableError(
      "update-busy",
      `${this.#busy.by} installs ${this.#busy.source} right now (${this.#progress.percent} %)`,
      "Wait until that has ended; see niac update.",
    );
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when it waits for a restart. What is refused is on record before it throws. `told`: how far it is. */
  async install(asked: Asked, told: (progress: UpdateProgress) => void): Promise<StoredUpdate> {
    this.mustBeIdle();
    this.#busy = asked;
    this.#progress = { percent: 0, step: "Checking the bundle" };
    this.#listeners.add(told);
    told(this.#progress);
    try {
      const bundle = await this.check(asked);
      return await this.#write(asked, bundle);
    } finally {
      this.#listeners.delete(told);
      this.#busy = null;
    }
  }

  /** What a bundle is, where it may be installed; else the refusal is on record, and thrown. */
  async check(asked: Asked): Promise<Checked> {
    const { store, rauc, box, settings } = this.#parts;
    let bundle: BundleFacts | null = null;
    try {
      if (this.#onTrial()) {
        throw new UnavailableError(
          "update-trial",
          `${box.version} is on trial, and the other slot holds what the box goes back to`,
          "Wait until it is called good; see niac update.",
        );
      }
      if (store.last()?.state === "trial") {
        throw new UnavailableError(
          "update-trial",
          "the box restarts to try an update",
          "Wait until it is called good, or left.",
        );
      }
      const source = this.#sourceOf(asked.source);
      bundle = await rauc.inspect(source, settings.ca);
      mayInstall(bundle, box, this.#parts.floor(), asked);
      return { ...bundle, source };
    } catch (error) {
      await this.#refused(asked, bundle, error);
      throw error;
    }
  }

  /** An installation that control left, by ending: RAUC may be at it still. */
  async resume(update: StoredUpdate): Promise<void> {
    this.#busy = update;
    try {
      await this.#follow(update);
    } catch (error) {
      this.#parts.log.error({ reason: messageOf(error) }, "the update that was under way");
    } finally {
      this.#busy = null;
    }
  }

  /** Throws a UsageError where the box takes nothing from there. */
  #sourceOf(source: string): string {
    if (isAbsolute(source)) return source;
    const { server, ca } = this.#parts.settings;
    if (server === null) {
      throw new UsageError(
        "update-source",
        `${source} is no file on the box, and no update server is set`,
        "Set NIAC_UPDATE_SERVER, or install from a USB stick.",
      );
    }
    if (!URL.canParse(source) || !new URL(source).href.startsWith(server.url)) {
      throw new UsageError(
        "update-source",
        `${source} is not below ${server.url}, the update server of this box`,
        "Give a URL of that server, or a path on the box.",
      );
    }
    if (new URL(source).protocol === "https:" && ca === null) {
      throw new UsageError(
        "update-ca",
        "the update server speaks https, and no authority for its certificate is set",
        "Set NIAC_UPDATE_CA to a PEM file.",
      );
    }
    return new URL(source).href;
  }

  async #write(asked: Asked, bundle: Checked): Promise<StoredUpdate> {
    const { store, clock, box, rauc, settings, fault } = this.#parts;
    const { version, hash, description, source } = bundle;
    const begun = clock.now();
    const { by } = asked;
    const slot = otherSlot(box.slot);
    const wish = { id: randomUUID(), begun, source, by, from: box.version, version, hash, slot };
    const what = description === "" ? "" : ` (${description})`;
    const how = asked.allowDowngrade ? ", going back allowed" : "";
    const reason = `${by} installs ${version}${what} into slot ${slot}; ${box.version} runs in slot ${box.slot}${how}`;
    const draft = updateDraft(begun, "started", reason, wish);
    const update = await this.#together(draft, () => store.begin(wish));
    fault(null);
    try {
      await rauc.install(source, settings.ca, update.id, hash);
    } catch (error) {
      return await this.#failed(update, messageOf(error));
    }
    return this.#follow(update);
  }

  async #follow(update: StoredUpdate): Promise<StoredUpdate> {
    const { rauc } = this.#parts;
    for (let away = 0; ; away += this.#look) {
      await new Promise((resolve) => setTimeout(resolve, this.#look));
      if (this.#stopped) throw new UnavailableError("stopping", "control stops; the installation goes on");
      try {
        const { busy, percent, step, error } = await rauc.progress();
        away = 0;
        this.#tell({ percent, step });
        if (busy) continue;
        return error === "" ? await this.#judge(update) : await this.#failed(update, error);
      } catch (error) {
        const gone = error instanceof NiacError && error.code === "rauc-away";
        if (!gone) throw error;
        if (away >= AWAY) return await this.#failed(update, messageOf(error));
      }
    }
  }

  /** RAUC says that it has ended well. Both slots must say so, of this very bundle: its server may have handed out another one. */
  async #judge(update: StoredUpdate): Promise<StoredUpdate> {
    const slots = await this.#parts.rauc.slots();
    const root = slots.find(({ slot }) => slot === update.slot);
    const written = slots.filter((each) => each === root || each.parent === root?.name);
    const whole = written.length > 1 && written.every(({ transaction }) => transaction === update.id);
    if (root === undefined || !whole) return this.#failed(update, "it was broken off");
    if (written.some(({ hash }) => hash !== update.hash))
      return this.#failed(update, "what was written is not the bundle that was checked");
    const { store, clock, log } = this.#parts;
    const now = clock.now();
    const reason = `${update.version} is in slot ${update.slot}, and waits for a restart; ${update.from} runs`;
    const draft = updateDraft(now, "installed", reason, update);
    const installed = await this.#together(draft, () => store.set(update, now, { state: "installed" }));
    log.info({ version: update.version }, "an update is installed");
    return installed;
  }

  async #failed(update: StoredUpdate, why: string): Promise<never> {
    const { store, clock, box } = this.#parts;
    const now = clock.now();
    const reason = `${update.version} was not installed: ${why}; ${box.version} stays`;
    const change = { state: "failed", reason: why.slice(0, 500) } as const;
    await this.#together(updateDraft(now, "failed", reason, update), () => store.set(update, now, change));
    throw new UnavailableError(
      "update-failed",
      reason,
      "What runs is not touched by it. Try again, or with another bundle.",
    );
  }

  async #refused({ source, by }: Asked, bundle: BundleFacts | null, error: unknown): Promise<void> {
    const { audit, clock, box } = this.#parts;
    const draft = boxDraft(
      clock.now(),
      "update-refused",
      `${by} may not install ${source}: ${messageOf(error)}`,
      {
        from: box.version,
        by,
        source: source.slice(0, 300),
        ...(bundle === null ? {} : { version: bundle.version.slice(0, 100), hash: bundle.hash }),
      },
    );
    await audit.append([draft], "now");
  }

  /** A record and what is noted of the update: after a power cut there are both, or neither. */
  async #together(draft: RecordDraft, change: () => StoredUpdate): Promise<StoredUpdate> {
    let changed: StoredUpdate | null = null;
    await this.#parts.audit.append([draft], "now", () => {
      changed = change();
    });
    if (changed === null) throw new BugError("update-record", `${draft.id} was on record already`);
    return changed;
  }

  #tell(progress: UpdateProgress): void {
    const { percent, step } = this.#progress;
    if (percent === progress.percent && step === progress.step) return;
    this.#progress = progress;
    for (const listener of this.#listeners) listener(progress);
  }
}
