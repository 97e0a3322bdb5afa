/** Who may have a certificate: the HTTPS place where laptops enrol (EST), codes, approval, sign-in; and where they report their posture. */
export { serveEnrolment } from "./enrol-admin.ts";
export { newCode, readCode } from "./enrol-code.ts";
export { createEnrolment } from "./enrol-schema.ts";
export { EnrolService, type EnrolServiceParts } from "./enrol-service.ts";
export type { HeldCertificate } from "./enrolment.ts";
export type { PostureHandler } from "./est-server.ts";
export { PostureIntake, type PostureParts } from "./posture-intake.ts";
