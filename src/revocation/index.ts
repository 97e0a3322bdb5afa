/** What other authorities revoked: their lists and OCSP answers, checked, held, and judged. */
export { createOutside } from "./crl-store.ts";
export { serveOutside } from "./outside-admin.ts";
export { OutsideAuthorities, type OutsideOptions } from "./outside.ts";
