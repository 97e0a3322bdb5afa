/** What a person does at the panel by hand: on record, and told to the gateway. */
import type { Logger } from "pino";
import { UNKNOWN_INPUTS, type PanelEdge, type PanelInput } from "../appliance/index.ts";
import type { AuditLog } from "../audit/index.ts";
import { messageOf, UnavailableError, UsageError, type Clock } from "../base/index.ts";
import { gatewayPanel, type PanelState, type PanelView } from "../link/index.ts";
import { EdgeSums } from "./edge-sums.ts";
import type { FaultBook } from "./faults.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { PanelStore } from "./panel-store.ts";
import { boxDraft, contactName, panelDraft, type PanelSum } from "./panel-words.ts";

export { boxDraft };

export interface PanelParts {
  readonly audit: Pick<AuditLog, "append">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: PanelStore;
  readonly gateway: Pick<GatewayLink, "call">;
  readonly faults: FaultBook;
  /** Milliseconds that one press of the button allows what the key switch would; 0: a press is recorded, and allows nothing. */
  readonly buttonAllows: number;
}

/**
 * Whether what is granted with the key switch holds now. On counts once it is on record: what was not recorded is not allowed. Off counts at
 * once: stopping waits for no disk. While an opened cover is not acknowledged the key counts as unknown: whoever had the cover open had the
 * key's wires in his hand.
 */
export class PanelKeeper {
  readonly #parts: PanelParts;
  readonly #sums = new EdgeSums<PanelInput, boolean | null>();
  #inputs = UNKNOWN_INPUTS;
  /** Since when the cover is opened and not acknowledged. */
  #opened: number | null;
  /** How often it was opened, as far as this process knows. */
  #openings = 0;
  /** Monotonic; 0: the button allows nothing. */
  #buttonUntil = 0;
  /** As the gateway was told. */
  #allows: boolean | null = null;
  /** Counts changes; the permission that a change gives holds once a record from then or later is stored. */
  #turn: Readonly<Record<"keySwitch" | "button", number>> = { keySwitch: 0, button: 0 };
  #recorded: Readonly<Record<"keySwitch" | "button", number>> = { keySwitch: 0, button: 0 };

  constructor(parts: PanelParts) {
    this.#parts = parts;
    this.#opened = parts.store.opened();
    this.#tellCover();
  }

  get opened(): boolean {
    return this.#opened !== null;
  }

  state(): PanelState {
    return { keySwitch: this.#allows };
  }

  view(): PanelView {
    const { keySwitch, cover, console } = this.#inputs;
    const left = this.#buttonUntil - this.#parts.clock.monotonic();
    return {
      keySwitch,
      cover: cover === null ? null : cover ? "open" : "closed",
      console,
      allows: this.#allows,
      buttonUntil: left > 0 ? Math.round(this.#parts.clock.now() + left) : null,
      opened: this.#opened,
    };
  }

  /** What the panel's device says, in order. */
  changed(edges: readonly PanelEdge[]): void {
    for (const { input, on } of edges) {
      this.#inputs = { ...this.#inputs, [input]: on };
      this.#one(input, on);
      this.#judge();
    }
    this.look();
  }

  /** Time has passed: what is due goes on record, what is over is over. */
  look(): void {
    this.#judge();
    const due = this.#sums.take(this.#parts.clock.monotonic());
    if (due.length > 0) void this.#record(due);
    const unsteady = this.#sums.unsteady().map((name) => contactName(name));
    this.#parts.faults.set(
      "contact",
      unsteady.length === 0 ? null : `the ${unsteady.join(" and the ")} at the panel goes to and fro`,
      "Look at its contact and its wires; while it does, what it allows comes and goes.",
    );
  }

  /** Once a gateway has attached: what it was told with the answer may be older than what it missed. */
  tell(): void {
    const { gateway, log } = this.#parts;
    gateway.call(gatewayPanel, { panel: this.state() }).catch((error: unknown) => {
      // A gateway that is away knows nothing of the panel, and is told when it attaches.
      if (error instanceof UnavailableError) return;
      log.error({ reason: messageOf(error) }, "the gateway did not take the state of the panel");
    });
  }

  /** Throws a UsageError where there is nothing to acknowledge, or not yet. */
  async acknowledge(by: string, reason: string): Promise<{ opened: number }> {
    const { audit, clock, store } = this.#parts;
    const opened = this.#opened;
    if (opened === null) throw new UsageError("cover-not-opened", "no opened cover waits to be acknowledged");
    if (this.#inputs.cover === true) {
      throw new UsageError("cover-open", "the cover of the box is still open", "Close it first.");
    }
    const openings = this.#openings;
    const why = reason === "" ? "" : `: ${reason}`;
    const text = `${by} acknowledges that the cover was opened at ${new Date(opened).toISOString()}${why}`;
    await audit.append([boxDraft(clock.now(), "acknowledge", text, { by })], "now", () =>
      store.acknowledge(),
    );
    this.#opened = null;
    // Opened once more while that was being stored, it is another opening.
    if (this.#openings !== openings) this.#coverOpened(clock.now());
    this.#tellCover();
    this.#judge();
    return { opened };
  }

  #one(input: PanelInput, on: boolean | null): void {
    const { clock } = this.#parts;
    const now = clock.now();
    if (input === "button") {
      // Its release, and that it is not pressed at the start, are no news.
      if (on === true) this.#pressed(now);
      if (on === null) this.#buttonUntil = 0;
      return;
    }
    if (input === "keySwitch") this.#turn = { ...this.#turn, keySwitch: this.#turn.keySwitch + 1 };
    if (input === "cover" && on === true) this.#coverOpened(now);
    this.#sums.add(input, on, now);
  }

  #pressed(now: number): void {
    const { clock, buttonAllows } = this.#parts;
    const on = buttonAllows > 0 && this.#buttonUntil <= clock.monotonic();
    this.#buttonUntil = on ? clock.monotonic() + buttonAllows : 0;
    this.#turn = { ...this.#turn, button: this.#turn.button + 1 };
    this.#sums.add("button", on, now);
  }

  /** It is known at once, and kept as well as can be: a full disk hides no opened cover. */
  #coverOpened(now: number): void {
    this.#openings++;
    this.#opened ??= now;
    try {
      this.#parts.store.open(this.#opened);
    } catch (error) {
      this.#parts.log.error(
        { reason: messageOf(error) },
        "that the cover was opened will not outlast a restart",
      );
    }
    this.#tellCover();
  }

  #tellCover(): void {
    const opened = this.#opened;
    this.#parts.faults.set(
      "cover",
      opened === null ? null : `the cover of the box was opened at ${new Date(opened).toISOString()}`,
      "Look at the box; then `niac panel acknowledge`. Until then the key switch allows nothing.",
    );
  }

  #judge(): void {
    const allows = this.#wanted();
    if (allows === this.#allows) return;
    this.#allows = allows;
    this.tell();
  }

  #wanted(): boolean | null {
    const { keySwitch, button } = this.#inputs;
    const hasButton = button !== null && this.#parts.buttonAllows > 0;
    if (this.#opened !== null || (keySwitch === null && !hasButton)) return null;
    const key = keySwitch === true && this.#recorded.keySwitch === this.#turn.keySwitch;
    const pressed = hasButton && this.#buttonUntil > this.#parts.clock.monotonic();
    return key || (pressed && this.#recorded.button === this.#turn.button);
  }

  async #record(due: readonly PanelSum[]): Promise<void> {
    const { audit, faults, buttonAllows } = this.#parts;
    const turn = this.#turn;
    try {
      await audit.append(
        due.map((sum) => panelDraft(sum, buttonAllows)),
        "now",
      );
      faults.set("panel record", null);
    } catch (error) {
      for (const sum of due) this.#sums.putBack(sum);
      const advice = "What is not on record allows nothing; see niac status for the audit log.";
      faults.set("panel record", `what is done at the panel cannot be recorded: ${messageOf(error)}`, advice);
      return;
    }
    for (const { name } of due) {
      if (name === "keySwitch" || name === "button")
        this.#recorded = { ...this.#recorded, [name]: turn[name] };
    }
    this.#judge();
  }
}
