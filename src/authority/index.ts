/**
 * Who signs certificates: the plant's own authority, its books and its keys, sealed; or the site's own, asked by EST. It runs in control, and
 * no key of an authority leaves it.
 */
export { serveAuthority } from "./admin.ts";
export { TIERS, type Issued, type Issuer, type Revocation, type Subject, type Tier } from "./contract.ts";
export { PlantAuthority, type PlantListener, type PlantOptions, type Revoked } from "./plant.ts";
export type { InitOptions } from "./plant-make.ts";
export { createAuthority } from "./schema.ts";
export { serveUpstream } from "./upstream-admin.ts";
export { createUpstream, UpstreamStore } from "./upstream-store.ts";
export { UpstreamAuthority } from "./upstream.ts";
export { checkUntil } from "./profile.ts";
