/** Updates of the box's image, for whoever asks: what there is, installing, trying, calling good. */
import type * as z from "zod";
import { messageOf, UnavailableError, UsageError, type Channel } from "../base/index.ts";
import * as link from "../link/index.ts";
import { boxDraft } from "./panel.ts";
import { UpdateInstaller } from "./update-install.ts";
import type { UpdateParts } from "./update-parts.ts";
import { lookAtStick } from "./update-stick.ts";
import { viewOf } from "./update-store.ts";
import { UpdateTrial } from "./update-trial.ts";

/** Updates that are shown. */
const SHOWN = 5;
/** Milliseconds between looks whether the last session has ended. */
const LOOK_FOR_SESSIONS = 10_000;

export class Updates {
  readonly #parts: UpdateParts | null;
  readonly #installer: UpdateInstaller | null;
  readonly #trial: UpdateTrial | null;
  #waiting: NodeJS.Timeout | undefined;

  /** `parts` null: this computer was not started from niac's image. `look`: milliseconds between looks at an installation. */
  constructor(parts: UpdateParts | null, look?: number) {
    this.#parts = parts;
    const trial = parts && new UpdateTrial(parts);
    this.#trial = trial;
    this.#installer = parts && new UpdateInstaller(parts, () => trial?.open ?? false, look);
  }

  /** Looks at what became of the last update; an installation that is under way is followed. */
  async start(): Promise<void> {
    const under = await this.#trial?.start();
    if (!under) return;
    await this.#installer?.resume(under);
    this.#trial?.tell();
  }

  stop(): void {
    clearInterval(this.#waiting);
    this.#installer?.stop();
  }

  /** Answers one command's channel. */
  serve(channel: Channel): void {
    const told = (progress: link.UpdateProgress): void => channel.notify(link.updateProgress, progress);
    channel.handle(link.updateShow, () => this.#show());
    channel.handle(link.updateInstall, (asked) => this.#install(asked, told));
    channel.handle(link.updateStick, (asked) => this.#stick(asked, told));
    channel.handle(link.updateRestart, ({ by, now }) => {
      this.#there().installer.mustBeIdle();
      return this.#there().trial.restart(by, now);
    });
    channel.handle(link.updateConfirm, () => this.#there().trial.confirm());
    channel.handle(link.updateGiveUp, ({ why }) => this.#there().trial.giveUp(why));
    channel.handle(link.updateDismiss, async ({ by }) => {
      await this.#there().trial.dismiss(by);
      return null;
    });
  }

  #there(): { parts: UpdateParts; installer: UpdateInstaller; trial: UpdateTrial } {
    const [parts, installer, trial] = [this.#parts, this.#installer, this.#trial];
    if (parts && installer && trial) return { parts, installer, trial };
    throw new UnavailableError(
      "no-image",
      "this appliance was not started from niac's image, and is not updated this way",
      "Update it as it was installed.",
    );
  }

  async #show(): Promise<link.UpdateState> {
    const { parts, installer, trial } = this.#there();
    const { box, rauc, store } = parts;
    // RAUC is started when it is asked first, and must not keep anybody from seeing what is known here.
    const [primary, slots] = await Promise.all([
      rauc.primary().catch(() => null),
      installer.progress === null ? rauc.slots().catch(() => []) : [],
    ]);
    return {
      version: box.version,
      board: box.board,
      slot: box.slot,
      trial: trial.open,
      primary,
      other: slots.find(({ slot }) => slot !== null && slot !== box.slot)?.version ?? null,
      floor: parts.floor(),
      updates: store.list(SHOWN).map(viewOf),
      progress: installer.progress,
    };
  }

  async #install(
    asked: z.infer<typeof link.updateInstall.params>,
    told: (progress: link.UpdateProgress) => void,
  ): Promise<link.UpdateView> {
    const { installer, trial } = this.#there();
    try {
      return viewOf(await installer.install(asked, told));
    } finally {
      trial.tell();
    }
  }

  /** Each bundle that may not be installed is on record; of the others the newest is taken. */
  async #stick(
    { paths, by }: z.infer<typeof link.updateStick.params>,
    told: (progress: link.UpdateProgress) => void,
  ): Promise<z.infer<typeof link.updateStick.result>> {
    const { parts, installer, trial } = this.#there();
    const { usb } = parts.settings;
    installer.mustBeIdle();
    if (usb === "off") {
      const reason = `${by}: the box takes no updates from USB (NIAC_UPDATE_USB is off)`;
      await parts.audit.append([boxDraft(parts.clock.now(), "update-refused", reason, { by })], "now");
      throw new UsageError("update-usb", reason, "Set NIAC_UPDATE_USB to install or restart.");
    }
    const { newest, refused, passed, waits } = await lookAtStick(parts, installer, paths, by);
    const asked = { source: newest ?? "", by, allowDowngrade: false, again: false };
    const installed = newest === null ? null : await this.#install(asked, told);
    const restarts = usb === "restart" && (installed !== null || waits);
    if (restarts) this.#restartWhenIdle(trial, by);
    return { installed, refused, passed, restarts };
  }

  #restartWhenIdle(trial: UpdateTrial, by: string): void {
    clearInterval(this.#waiting);
    const attempt = async (): Promise<void> => {
      try {
        await trial.restart(by, false);
      } catch (error) {
        if (error instanceof UsageError && error.code === "update-sessions") return;
        this.#parts?.log.error({ reason: messageOf(error) }, "the box does not restart into the update");
      }
      clearInterval(this.#waiting);
    };
    this.#waiting = setInterval(() => void attempt(), LOOK_FOR_SESSIONS);
    void attempt();
  }
}
