/** From what the gateway records to what its lamps show: who is connected, who changes something, what was refused. */
import type { AuditLog, RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";

/** Milliseconds that a refusal or a write is shown: long enough for somebody who turns round to look. */
const SHOWN = 5_000;

export class Traffic {
  readonly #clock: Clock;
  readonly #audit: Pick<AuditLog, "openSessions">;
  /** Of people with a certificate; machines' own connections are always there. */
  #sessions = new Set<string>();
  #refused = -Infinity;
  #written = -Infinity;

  constructor(clock: Clock, audit: Pick<AuditLog, "openSessions">) {
    this.#clock = clock;
    this.#audit = audit;
  }

  /** A gateway has attached: what it has no more is ended on record by now. */
  attached(): void {
    const open = this.#audit.openSessions().filter(({ start }) => isPerson(start));
    this.#sessions = new Set(open.map(({ session }) => session));
  }

  /**
   * What is refused packet by packet is not among it: a plant's network is never quiet, and a lamp that is always on says nothing.
   */
  recorded(drafts: readonly RecordDraft[]): void {
    const now = this.#clock.monotonic();
    for (const draft of drafts) {
      const { kind, session, decision } = draft;
      if (kind === "session.start" && session !== undefined && isPerson(draft)) this.#sessions.add(session);
      if (kind === "session.end" && session !== undefined) this.#sessions.delete(session);
      if (kind === "session.refused" || decision === "denial") this.#refused = now;
      if (kind === "operation" && decision === "permit" && isPerson(draft)) this.#written = now;
    }
  }

  now(): { readonly refused: boolean; readonly sessions: "none" | "open" | "writing" } {
    const since = this.#clock.monotonic() - SHOWN;
    const open = this.#sessions.size === 0 ? "none" : "open";
    return { refused: this.#refused > since, sessions: this.#written > since ? "writing" : open };
  }
}

function isPerson({ identity }: RecordDraft): boolean {
  return identity !== undefined && identity.kind === undefined;
}
