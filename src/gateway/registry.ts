import type { Identity } from "../identity/index.ts";
import type { Session } from "./session.ts";

/** Why somebody may not go on, as it is recorded. */
export interface Doom {
  readonly stage: string;
  readonly reason: string;
}

interface Coming {
  readonly identity: Identity;
  doom: Doom | null;
}

/** The live sessions, and how many each user has under each grant. */
export class Registry {
  readonly #sessions = new Map<string, Session>();
  /** A place taken for a session whose start is being recorded, so that two at once do not both pass a limit of one. */
  readonly #held = new Map<string, number>();

  /** Whose certificate is known and who has no session yet, by the name it will have: what is revoked meanwhile must reach them too. */
  readonly #coming = new Map<string, Coming>();

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

  /** From now on doom() reaches the session of that name to be. Whoever calls it calls arrived() in the end. */
  expect(id: string, identity: Identity): void {
    this.#coming.set(id, { identity, doom: null });
  }

  arrived(id: string): void {
    this.#coming.delete(id);
  }

  doomOf(id: string): Doom | null {
    return this.#coming.get(id)?.doom ?? null;
  }

  /** Of one that is about to be: it ends as soon as it would begin. False: there is none of that name, or it lives already. */
  doom(id: string, doom: Doom): boolean {
    const coming = this.#sessions.has(id) ? undefined : this.#coming.get(id);
    if (coming) coming.doom = doom;
    return coming !== undefined;
  }

  /** Of every live session, and of those about to be, that a certificate opens. */
  certificates(): { readonly session: string; readonly identity: Identity }[] {
    const live = this.all().map(({ opening }) => ({ session: opening.id, identity: opening.identity }));
    const coming = [...this.#coming]
      .filter(([id]) => !this.#sessions.has(id))
      .map(([session, { identity }]) => ({ session, identity }));
    return [...live, ...coming].filter(({ identity }) => identity.kind === "certificate");
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
