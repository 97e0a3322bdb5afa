/** New authorities: the first ones, a tenant's, and those that take the place of others. All of a call are there afterwards, or none. */
import type { RecordDraft } from "../audit/index.ts";
import { BugError, UsageError } from "../base/index.ts";
import { TIERS, type RotationScope } from "../link/index.ts";
import { UNSEEN, type KeyAlgorithm } from "../x509/index.ts";
import { makeAuthority, type Above, type MadeAuthority, type Role } from "./ca.ts";
import type { Tier } from "./contract.ts";
import { listUrl, timeText, type AuthorityParts } from "./issue.ts";
import { makeList } from "./own-crl.ts";
import { checkLifetime, LIFETIMES } from "./profile.ts";
import { inScope } from "./plant-scope.ts";
import type { Authority, Plant, StoredList } from "./store.ts";

export interface InitOptions {
  /** Of the plant, for people: "Plant 7". It stands in every certificate of an authority. */
  readonly name: string;
  readonly algorithm: KeyAlgorithm;
  readonly tenants: readonly string[];
  /** Milliseconds; what is left out is as in LIFETIMES. */
  readonly lifetimes: Readonly<Partial<Record<Tier, number>>>;
  /** http URL below which everybody reaches the revocation lists; null: certificates name no place. */
  readonly crlUrl: string | null;
  readonly by: string;
}

/** All tiers of each, the plant's own, infrastructure and roots, twice while one takes over from another, fit a certs-only message. */
const MAX_TENANTS = 16;
const MAX_NAME = 64;

export async function init(parts: AuthorityParts, options: InitOptions): Promise<void> {
  const { store, clock } = parts;
  if (store.initialised) throw alreadyThere(store.plant.name);
  const now = clock.now();
  const plant = plantOf(options, now);
  const tenants = [...new Set(options.tenants)];
  checkTenants(tenants);
  const making = new Making(parts, plant, now);
  const root = await making.root(options.algorithm);
  await making.below(root, rolesOf([null, ...tenants]), () => options.algorithm);
  await making.commit(options.by, () => {
    store.reload();
    if (store.initialised) throw alreadyThere(store.plant.name);
    store.putPlant(plant);
  });
}

export async function addTenant(parts: AuthorityParts, tenant: string, by: string): Promise<string[]> {
  const { store, clock } = parts;
  const { plant } = store;
  const tenants = store.authorities.flatMap((each) => (each.tenant === null ? [] : [each.tenant]));
  if (tenants.includes(tenant)) {
    throw new UsageError(
      "tenant-there",
      `the tenant ${tenant} has authorities already`,
      "See niac authority show.",
    );
  }
  checkTenants([...new Set(tenants), tenant]);
  const making = new Making(parts, plant, clock.now());
  const { above, algorithm } = await making.currentRoot();
  const roles = rolesOf([tenant]).filter(({ role }) => role === "issuing");
  await making.below(above, roles, () => algorithm);
  return making.commit(by, () => {});
}

/** New ones beside the old, which issue no more and whose certificates are good until they end. */
export async function rotate(
  parts: AuthorityParts,
  scope: RotationScope,
  algorithm: KeyAlgorithm | null,
  by: string,
): Promise<string[]> {
  const { store, clock } = parts;
  const { plant } = store;
  const below = newestOfEach(store.authorities.filter(({ role }) => role !== "root"));
  const chosen = scope.root ? below : below.filter((authority) => inScope(authority, scope));
  if (chosen.length === 0) {
    throw new UsageError("scope", "there is no such authority to be followed", "See niac authority show.");
  }
  const making = new Making(parts, plant, clock.now());
  const current = await making.currentRoot();
  const above = scope.root ? await making.root(algorithm ?? current.algorithm) : current.above;
  await making.below(above, chosen.map(roleOf), ({ role, tier, tenant }) => {
    const before = chosen.find((each) => each.role === role && each.tier === tier && each.tenant === tenant);
    return algorithm ?? before?.algorithm ?? current.algorithm;
  });
  const followed = store.authorities.filter(
    (each) => each.state === "current" && (scope.root || chosen.includes(each)),
  );
  return making.commit(by, () => {
    for (const { id } of followed) {
      if (!store.setState(id, "current", "retiring")) {
        throw new BugError("rotate", `authority ${id} changed while another was made to follow it`);
      }
    }
  });
}

interface Parent {
  readonly id: number;
  readonly above: Above;
}

/** Authorities under way: made, sealed, and stored in one transaction with their records. */
class Making {
  readonly #parts: AuthorityParts;
  readonly #plant: Plant;
  readonly #now: number;
  readonly #rows: { readonly authority: Authority; readonly list: StoredList }[] = [];
  #id: number;

  constructor(parts: AuthorityParts, plant: Plant, now: number) {
    this.#parts = parts;
    this.#plant = plant;
    this.#now = now;
    this.#id = parts.store.nextId;
  }

  async currentRoot(): Promise<{ readonly above: Parent; readonly algorithm: KeyAlgorithm }> {
    const { store, keys } = this.#parts;
    const root = store.authorities.find(({ role, state }) => role === "root" && state === "current");
    if (root === undefined) throw new BugError("no-root", "there is a plant's authority without a root");
    const crl = listUrl(this.#plant.crlUrl, root.id);
    const above = { certificate: root.certificate, key: await keys.of(root), crl };
    return { above: { id: root.id, above }, algorithm: root.algorithm };
  }

  async root(algorithm: KeyAlgorithm): Promise<Parent> {
    const made = await this.#make({ role: "root", tier: null, tenant: null }, algorithm, null);
    const crl = listUrl(this.#plant.crlUrl, made.id);
    return { id: made.id, above: { certificate: made.certificate, key: made.key, crl } };
  }

  async below(
    parent: Parent,
    roles: readonly Role[],
    algorithmOf: (role: Role) => KeyAlgorithm,
  ): Promise<void> {
    for (const role of roles) await this.#make(role, algorithmOf(role), parent);
  }

  async #make(
    of: Role,
    algorithm: KeyAlgorithm,
    parent: Parent | null,
  ): Promise<MadeAuthority & { readonly id: number }> {
    const { store, keys } = this.#parts;
    const id = this.#id++;
    const now = this.#now;
    const made = await makeAuthority(
      { id, plant: this.#plant.name, of, algorithm, now },
      parent?.above ?? null,
    );
    const { name, certificate, fingerprint, serial, notAfter } = made;
    const key = await keys.seal(id, made.key);
    const authority: Authority = {
      id,
      ...of,
      parent: parent?.id ?? null,
      name,
      algorithm,
      certificate,
      fingerprint,
      serial,
      key,
      state: "current",
      created: now,
      notAfter,
      revokedAt: null,
      reason: null,
    };
    this.#rows.push({ authority, list: makeList(store, authority, made.key, now) });
    return { ...made, id };
  }

  /** The names of those made. `before` runs in the transaction, first. */
  async commit(by: string, before: () => void): Promise<string[]> {
    const { store, audit } = this.#parts;
    const records = this.#rows.map(({ authority }) => recordOf(authority, by));
    await audit.append(records, "now", () => {
      before();
      for (const { authority, list } of this.#rows) {
        store.putAuthority(authority);
        store.putList(authority.id, list);
      }
    });
    store.reload();
    return this.#rows.map(({ authority }) => authority.name);
  }
}

function recordOf(authority: Authority, by: string): RecordDraft {
  const { name, role, tier, tenant, algorithm, fingerprint, notAfter, created } = authority;
  return {
    time: created,
    kind: "trust",
    id: `authority-${fingerprint}`,
    reason: `authority "${name}" made by ${by}`,
    detail: {
      role,
      algorithm,
      fingerprint,
      until: timeText(notAfter),
      ...(tier === null ? {} : { tier }),
      ...(tenant === null ? {} : { tenant }),
    },
  };
}

function rolesOf(tenants: readonly (string | null)[]): Role[] {
  return [
    { role: "infrastructure", tier: null, tenant: null },
    ...tenants.flatMap((tenant) => TIERS.map((tier) => ({ role: "issuing" as const, tier, tenant }))),
  ];
}

function newestOfEach(authorities: readonly Authority[]): Authority[] {
  const newest = new Map(
    authorities.map((each) => [[each.role, each.tier, each.tenant].join("/"), each] as const),
  );
  return [...newest.values()];
}

function roleOf({ role, tier, tenant }: Authority): Role {
  if (role === "issuing" && tier !== null) return { role, tier, tenant };
  return { role: role === "root" ? "root" : "infrastructure", tier: null, tenant: null };
}

function plantOf({ name, lifetimes, crlUrl }: InitOptions, created: number): Plant {
  const good = name === name.trim() && name === name.normalize("NFC") && !UNSEEN.test(name);
  if (name === "" || Array.from(name).length > MAX_NAME || !good) {
    throw new UsageError(
      "plant-name",
      `the plant's name has 1 to ${MAX_NAME} visible characters, and none of them a space at either end`,
      'For example: niac authority init "Plant 7".',
    );
  }
  const all = { ...LIFETIMES, ...lifetimes };
  for (const tier of TIERS) checkLifetime(tier, all[tier]);
  return { name, lifetimes: all, crlUrl: crlUrl === null ? null : checkedUrl(crlUrl), created };
}

/** Plain http: who fetches a list over TLS would have to check a certificate first, and so on. */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (
    url !== null &&
    url.protocol === "http:" &&
    url.search === "" &&
    url.hash === "" &&
    text.length <= 200
  ) {
    return url.href.replace(/\/$/, "");
  }
  throw new UsageError(
    "crl-url",
    `"${text}" is no address for revocation lists`,
    "Give one that begins with http://, of 200 characters at most; lists are signed and need no TLS.",
  );
}

function checkTenants(tenants: readonly string[]): void {
  for (const tenant of tenants) {
    if (/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(tenant)) continue;
    throw new UsageError(
      "tenant-name",
      `"${tenant}" is no name for a tenant, which becomes part of addresses`,
      "Take 1 to 32 small letters, digits and hyphens, like acme or press-builder.",
    );
  }
  if (tenants.length <= MAX_TENANTS) return;
  throw new UsageError("tenants", `${tenants.length} tenants are too many; ${MAX_TENANTS} are taken at most`);
}

function alreadyThere(name: string): UsageError {
  return new UsageError(
    "authority-there",
    `this appliance has an authority already, of "${name}", and it is never overwritten`,
    "See niac authority show; niac authority rotate --root makes a new root beside the old one.",
  );
}
