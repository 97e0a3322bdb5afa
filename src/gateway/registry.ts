import type { Session } from "./session.ts";

/** The live sessions, and how many each user has under each grant. */
export class Registry {
  readonly #sessions = new Map<string, Session>();
  /** A place taken for a session whose start is being recorded, so that two at once do not both pass a limit of one. */
  readonly #held = new Map<string, number>();

  get size(): number {
    return this.#sessions.size;
  }

  all(): Session[] {
    return [...this.#sessions.values()];
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  add(session: Session): void {
    this.#sessions.set(session.opening.id, session);
  }

  remove(session: Session): void {
    this.#sessions.delete(session.opening.id);
  }

  /** Takes a place under each grant; the function returned gives them back. */
  hold(grants: readonly string[], user: string): () => void {
    const keys = grants.map((grant) => placeKey(grant, user));
    for (const key of keys) this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
    return () => {
      for (const key of keys) {
        const held = (this.#held.get(key) ?? 0) - 1;
        if (held > 0) this.#held.set(key, held);
        else this.#held.delete(key);
      }
    };
  }

  /** Sessions the user has open, or about to open, under the grant. */
  connections(grant: string, user: string): number {
    let count = this.#held.get(placeKey(grant, user)) ?? 0;
    for (const session of this.#sessions.values()) {
      if (session.opening.identity.user === user && session.permit.grants.includes(grant)) count++;
    }
    return count;
  }
}

function placeKey(grant: string, user: string): string {
  return JSON.stringify([grant, user]);
}
