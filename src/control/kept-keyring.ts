import type { Logger } from "pino";
import type { Database } from "../audit/index.ts";
import { UnavailableError } from "../base/index.ts";
import { keyringExists, openKeyring, type OpenKeyring } from "../seal/index.ts";
import type { Settings } from "../settings/index.ts";

/** Opens the keyring when a key is first needed, and again where that failed. */
export class KeptKeyring {
  readonly #settings: Pick<Settings, "seal" | "stateDir">;
  readonly #log: Logger;
  readonly #db: Database;
  #opened: Promise<OpenKeyring> | null = null;

  constructor(settings: Pick<Settings, "seal" | "stateDir">, log: Logger, db: Database) {
    this.#settings = settings;
    this.#log = log;
    this.#db = db;
  }

  async open(): Promise<OpenKeyring> {
    const opening = (this.#opened ??= this.#open());
    try {
      return await opening;
    } catch (error) {
      if (this.#opened === opening) this.#opened = null;
      throw error;
    }
  }

  /** By what the settings ask for now; where that fails, all stays as it was. */
  async reseal(): Promise<OpenKeyring> {
    const resealed = await (await this.open()).reseal(this.#settings.seal);
    this.#opened = Promise.resolve(resealed);
    return resealed;
  }

  async #open(): Promise<OpenKeyring> {
    const { seal, stateDir } = this.#settings;
    if (!keyringExists(stateDir) && this.#sealed()) {
      throw new UnavailableError(
        "keyring-gone",
        `keyring.json is gone from ${stateDir}, and the authority's and the box's own keys cannot be opened without it`,
        "Put it back from a backup of that directory, or set the appliance up anew and niac authority import.",
      );
    }
    return openKeyring({ seal, stateDir, log: this.#log });
  }

  /** Whether it sealed something already, so that it must be there. Asked before there are objects that know: by their tables. */
  #sealed(): boolean {
    const sql = ["plant", "upstream", "box_identity"].map((table) => `EXISTS (SELECT 1 FROM ${table})`);
    return (
      this.#db
        .prepare(`SELECT ${sql.join(" OR ")}`)
        .pluck()
        .get() === 1
    );
  }
}
