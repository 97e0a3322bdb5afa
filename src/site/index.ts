/**
 * The site document: network, machines, people, grants, forbids and destinations as a plant admin writes them (YAML), compiled to the
 * snapshot that gateway, policy and netd hold. Everything here is pure: text in, snapshot and findings out.
 */
export { diffSites } from "./diff.ts";
export { formatChange } from "./fields.ts";
export type { Access, Change, FieldChange } from "./fields.ts";
export { formatFinding } from "./findings.ts";
export type { Finding, Severity } from "./findings.ts";
export { MODBUS_SETS } from "./functions.ts";
export { withoutKeySwitch } from "./key-switch.ts";
export { jsonSchema } from "./json-schema.ts";
export { groupsOf, serviceOf, withVersion } from "./lookup.ts";
export { capturedService, destinationAt, machineAt, plainService } from "./lookup-network.ts";
export type { ServiceAt } from "./lookup-network.ts";
export { parseSite } from "./parse.ts";
export type { SiteResult } from "./parse.ts";
export { parseSnapshot } from "./snapshot-schema.ts";
export { openSources, stillOpen } from "./sources.ts";
export type * from "./snapshot.ts";
