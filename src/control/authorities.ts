/** The authorities that certificates come from: the plant's own, or the site's in its place. */
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
import type { OpenKeyring } from "../seal/index.ts";
import type { Channel, Clock } from "../base/index.ts";
import { authorityReseal } from "../link/index.ts";
import type { OwnIssuer } from "./certify.ts";
import type { KeptKeyring } from "./kept-keyring.ts";

export interface AuthoritiesParts {
  readonly db: Database;
  readonly audit: AuditLog;
  /** Never behind the latest time known. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly keyring: KeptKeyring;
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
    const { db, audit, clock, log } = parts;
    this.#parts = parts;
    this.#keyring = parts.keyring;
    const keyring = (): Promise<OpenKeyring> => this.keyring();
    const changed = (): void => parts.changed();
    this.plant = new PlantAuthority({ db, audit, clock, log, keyring });
    this.plant.subscribe({ changed, revoked: () => parts.revoked() });
    this.upstream = new UpstreamAuthority({
      store: new UpstreamStore(db),
      audit,
      clock,
      log,
      keyring,
      changed,
    });
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
