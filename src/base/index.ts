/** What every folder may lean on: errors, bounded bytes, tables, the clock, the typed channel. Imports nothing of niac. */
export * from "./bytes.ts";
export * from "./channel.ts";
export * from "./clock.ts";
export * from "./errors.ts";
export * from "./tables.ts";
export * from "./version.ts";
