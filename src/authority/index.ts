/**
 * Who is trusted, and what keeps it so: the plant's own authority and its keys, sealed; enrolment of laptops (EST); the appliance's own
 * certificates; revocation, of the plant's authority and of others. It runs in control, and no key of an authority leaves it.
 */
export { serveAuthority } from "./admin.ts";
export { TIERS, type Issued, type Issuer, type Revocation, type Subject, type Tier } from "./contract.ts";
export { serveEnrolment } from "./enrol-admin.ts";
export { createEnrolment } from "./enrol-schema.ts";
export { EnrolService, type EnrolServiceParts } from "./enrol-service.ts";
export type { HeldCertificate } from "./enrolment.ts";
export type { PostureHandler } from "./est-server.ts";
export { keyringExists } from "./keyring-file.ts";
export { openKeyring, type Keyring, type KeyringOptions, type OpenKeyring } from "./keyring.ts";
export { PlantAuthority, type PlantListener, type PlantOptions, type Revoked } from "./plant.ts";
export type { InitOptions } from "./plant-make.ts";
export { PostureIntake, type PostureParts } from "./posture-intake.ts";
export { createAuthority } from "./schema.ts";
export { serveUpstream } from "./upstream-admin.ts";
export { createUpstream, UpstreamStore } from "./upstream-store.ts";
export { UpstreamAuthority } from "./upstream.ts";
export { createOutside } from "./crl-store.ts";
export { OutsideAuthorities, type OutsideOptions } from "./outside.ts";
export { serveOutside } from "./outside-admin.ts";
