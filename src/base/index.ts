/** What every folder may lean on: errors, bounded bytes, the clock, the typed channel, text for terminals. Imports nothing of niac. */
export * from "./bytes.ts";
export * from "./channel.ts";
export * from "./clock.ts";
export { deskText } from "./desk-text.ts";
export * from "./errors.ts";
export { nameMaker } from "./names.ts";
export { nodeHttp } from "./node-http.ts";
export { columns, cut, fit, printable } from "./printable.ts";
export * from "./table.ts";
export * from "./tables.ts";
export * from "./version.ts";
export * from "./inner.ts";
export * from "./renewal.ts";
export { TLS_CIPHERS, TLS_GROUPS } from "./suites.ts";
