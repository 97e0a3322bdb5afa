/** The authorities that certificates come from: the plant's own, or the site's in its place; and the keyring that seals their keys. */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { AuditLog, Database } from "../audit/index.ts";
import {
  type Issuer,
  PlantAuthority,
  serveAuthority,
  serveUpstream,
  UpstreamAuthority,
  UpstreamStore,
} from "../authority/index.ts";
import { keyringExists, openKeyring, type OpenKeyring } from "../seal/index.ts";
import { UnavailableError, type Channel, type Clock } from "../base/index.ts";
import { authorityReseal } from "../link/index.ts";
import type { Settings } from "../settings/index.ts";
import type { OwnIssuer } from "./certify.ts";

export interface AuthoritiesParts {
  readonly db: Database;
  readonly audit: AuditLog;
  /** Never behind the latest time known. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: Pick<Settings, "seal" | "stateDir">;
  /** The appliance's DNS name. */
  name(): string;
  /** Others than before. */
  changed(): void;
  /** Certificates were revoked: those in use are to be looked at again. How many sessions ended with them. */
  revoked(): Promise<number>;
}

export class Authorities {
  readonly plant: PlantAuthority;
  readonly upstream: UpstreamAuthority;
  readonly #keyring: KeptKeyring;
  readonly #parts: AuthoritiesParts;

  constructor(parts: AuthoritiesParts) {
    const { db, audit, clock, log, settings } = parts;
    this.#parts = parts;
    const store = new UpstreamStore(db);
    this.#keyring = new KeptKeyring(settings, log, () => this.plant.initialised || store.read() !== null);
    const keyring = (): Promise<OpenKeyring> => this.keyring();
    const changed = (): void => parts.changed();
    this.plant = new PlantAuthority({ db, audit, clock, log, keyring });
    this.plant.subscribe({ changed, revoked: () => parts.revoked() });
    this.upstream = new UpstreamAuthority({ store, audit, clock, log, keyring, changed });
  }

  keyring(): Promise<OpenKeyring> {
    return this.#keyring.open();
  }

  /** Who issues now. */
  issuer(): OwnIssuer & Issuer {
    return this.upstream.identity.there ? this.upstream : this.plant;
  }

  /** The user of a certificate that is good and says this device; null: nobody's. */
  userOf(device: string): string | null {
    const [held] = this.plant.store.live({ device }, this.#parts.clock.now(), 1);
    return held?.user ?? this.upstream.userOf(device);
  }

  start(): void {
    this.plant.start();
    this.upstream.identity.start();
  }

  async stop(): Promise<void> {
    this.upstream.identity.stop();
    await this.plant.stop();
  }

  /** Answers one command's channel. */
  serve(channel: Channel): void {
    const { plant, upstream } = this;
    serveAuthority(channel, plant, this.#parts.clock, () => upstream.identity.there);
    channel.handle(authorityReseal, async ({ by }) => {
      const { protects } = await this.#keyring.reseal();
      const reason = `${by} sealed the authority's keys anew: ${protects}`.slice(0, 1_000);
      const { audit, clock } = this.#parts;
      await audit.append([{ time: clock.now(), kind: "trust", id: randomUUID(), reason }], "now");
      return { protects };
    });
    serveUpstream(channel, { upstream, name: () => this.#parts.name(), plant: () => plant.initialised });
  }
}

/** Opens the keyring when a key is first needed, and again where that failed. */
class KeptKeyring {
  readonly #settings: AuthoritiesParts["settings"];
  readonly #log: Logger;
  /** Whether it sealed something already, so that it must be there. */
  readonly #sealed: () => boolean;
  #opened: Promise<OpenKeyring> | null = null;

  constructor(settings: AuthoritiesParts["settings"], log: Logger, sealed: () => boolean) {
    this.#settings = settings;
    this.#log = log;
    this.#sealed = sealed;
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
    if (this.#sealed() && !keyringExists(stateDir)) {
      throw new UnavailableError(
        "keyring-gone",
        `keyring.json is gone from ${stateDir}, and the authority's keys cannot be opened without it`,
        "Put it back from a backup of that directory, or set the appliance up anew and niac authority import.",
      );
    }
    return openKeyring({ seal, stateDir, log: this.#log });
  }
}
