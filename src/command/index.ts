/** What a person types at the appliance: each command asks control over its admin socket and shows the answer. */
export { auditCommand } from "./audit.ts";
export { authorityCommand } from "./authority.ts";
export { claimCommand } from "./claim.ts";
export { clockCommand } from "./clock.ts";
export { consoleRecordCommand } from "./console.ts";
export { explain, type Surroundings } from "./context.ts";
export { discoverCommand } from "./discover.ts";
export { enrolmentCommand } from "./enrolment.ts";
export { flowsCommand } from "./flows.ts";
export { lockCommand, locksCommand, unlockCommand } from "./locks.ts";
export { crlCommand } from "./outside.ts";
export { panelCommand } from "./panel.ts";
export { preparedRecordCommand } from "./prepared.ts";
export { sessionsCommand, endCommand } from "./sessions.ts";
export { settingsCommand } from "./settings.ts";
export { siteCommand } from "./site.ts";
export { statusCommand } from "./status.ts";
export { updateCommand } from "./update.ts";
