import { Resolver } from "node:dns/promises";
import { isIPv4 } from "node:net";
import { systemClock, systemCode, UnavailableError, type Clock } from "../base/index.ts";

/** Milliseconds for each of the attempts. */
const TIMEOUT = 2_000;
const TRIES = 2;
/** Milliseconds for which an address is not asked for again. */
const FRESH = 30_000;
/** Names kept; they come from the site document, so this is a bound and not a habit. */
const MAX_NAMES = 1_000;
/** The server answered that there is no such name, or no IPv4 address of it. */
const UNKNOWN: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

interface Known {
  readonly address: Promise<string>;
  /** Monotonic milliseconds; Infinity while it is being asked for. */
  until: number;
}

/** IPv4 addresses of destinations given by name, asked of the site's own name servers. */
export class Names {
  readonly #resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES, maxTimeout: TIMEOUT });
  readonly #servers: string;
  readonly #forbidden: (address: string) => boolean;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  /**
   * `servers`: IPv4 addresses, with `:port` where it is not 53; none: the system's own. `forbidden`: addresses no name may lead to,
   * such as those of machines behind this appliance, which are reached through their grants and not around them.
   */
  constructor(
    servers: readonly string[],
    forbidden: (address: string) => boolean = () => false,
    clock: Clock = systemClock,
  ) {
    if (servers.length > 0) this.#resolver.setServers(servers);
    this.#servers = servers.length > 0 ? servers.join(", ") : "the system's name servers";
    this.#forbidden = forbidden;
    this.#clock = clock;
  }

  /**
   * The first address of `host`; an IPv4 address is returned as it is. Rejects with UnavailableError: `name-unknown`, `name-servers`,
   * `name-address` (the answer is an address that no destination can have).
   */
  lookup(host: string): Promise<string> {
    if (isIPv4(host)) return Promise.resolve(host);
    const known = this.#known.get(host);
    if (known && this.#clock.monotonic() < known.until) return known.address;
    if (this.#known.size >= MAX_NAMES) this.#known.clear();
    const asked: Known = { address: this.#ask(host), until: Infinity };
    this.#known.set(host, asked);
    asked.address.then(
      () => (asked.until = this.#clock.monotonic() + FRESH),
      () => this.#forget(host, asked),
    );
    return asked.address;
  }

  #forget(host: string, asked: Known): void {
    if (this.#known.get(host) === asked) this.#known.delete(host);
  }

  async #ask(host: string): Promise<string> {
    let addresses: string[];
    try {
      addresses = await this.#resolver.resolve4(host);
    } catch (error) {
      throw this.#failure(host, systemCode(error), error);
    }
    const [address] = addresses;
    if (address === undefined) throw this.#failure(host, "ENODATA", undefined);
    // Whoever forges an answer must not have the gateway connect to itself, or to a machine without a grant.
    if (isReserved(address) || this.#forbidden(address)) {
      throw new UnavailableError(
        "name-address",
        `${host} is ${address} according to ${this.#servers}, which cannot be a destination's address`,
        "Check the name servers of the site document: the answer is wrong or forged.",
      );
    }
    return address;
  }

  #failure(host: string, code: string, cause: unknown): UnavailableError {
    if (UNKNOWN.has(code)) {
      return new UnavailableError(
        "name-unknown",
        `${this.#servers} know no IPv4 address of ${host}`,
        "Check the destination's host and the site document's nameServers.",
        { cause },
      );
    }
    return new UnavailableError(
      "name-servers",
      `the address of ${host} cannot be had: ${this.#servers} gave no answer (${code})`,
      "Check that the name servers run and that the appliance reaches them over its uplink.",
      { cause },
    );
  }
}

/** This host, loopback, link-local, the appliance's inner addresses (RFC 2544), multicast and above: RFC 6890. */
function isReserved(address: string): boolean {
  const [a = 0, b = 0] = address.split(".").map(Number);
  return (
    a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254) || (a === 198 && (b === 18 || b === 19))
  );
}
