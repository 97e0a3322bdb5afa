/** The authorities that certificates come from: the plant's own, or the site's in its place; and the keyring that seals their keys. */
import type { Logger } from "pino";
import type { AuditLog, Database } from "../audit/index.ts";
import {
  keyringExists,
  openKeyring,
  PlantAuthority,
  serveAuthority,
  serveUpstream,
  UpstreamAuthority,
  UpstreamStore,
  type Issuer,
  type OpenKeyring,
} from "../authority/index.ts";
import { UnavailableError, type Channel, type Clock } from "../base/index.ts";
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
  readonly keyring: () => Promise<OpenKeyring>;
  readonly #parts: AuthoritiesParts;

  constructor(parts: AuthoritiesParts) {
    const { db, audit, clock, log, settings } = parts;
    this.#parts = parts;
    const store = new UpstreamStore(db);
    this.keyring = opener(settings, log, () => this.plant.initialised || store.read() !== null);
    const changed = (): void => parts.changed();
    this.plant = new PlantAuthority({ db, audit, clock, log, keyring: this.keyring });
    this.plant.subscribe({ changed, revoked: () => parts.revoked() });
    this.upstream = new UpstreamAuthority({ store, audit, clock, log, keyring: this.keyring, changed });
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
    serveUpstream(channel, { upstream, name: () => this.#parts.name(), plant: () => plant.initialised });
  }
}

/** Opens the keyring when a key is first needed, and again where that failed. `sealed`: it sealed something already, so it must be there. */
function opener(
  { seal, stateDir }: AuthoritiesParts["settings"],
  log: Logger,
  sealed: () => boolean,
): () => Promise<OpenKeyring> {
  let opened: Promise<OpenKeyring> | null = null;
  const open = async (): Promise<OpenKeyring> => {
    if (sealed() && !keyringExists(stateDir)) {
      throw new UnavailableError(
        "keyring-gone",
        `keyring.json is gone from ${stateDir}, and the authority's keys cannot be opened without it`,
        "Put it back from a backup of that directory, or set the appliance up anew and niac authority import.",
      );
    }
    return openKeyring({ seal, stateDir, log });
  };
  return async () => {
    opened ??= open();
    try {
      return await opened;
    } catch (error) {
      opened = null;
      throw error;
    }
  };
}
