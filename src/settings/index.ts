/** The appliance's own settings: a look-up in, one validated frozen object out. Only this folder knows their names. */
export { checkSettingsFile, type SettingsFile } from "./settings-file.ts";
export { describeSettings } from "./names.ts";
export {
  readSettings,
  type Address,
  type BoxSettings,
  type SealSettings,
  type Settings,
} from "./settings.ts";
export type { UpdateSettings } from "./update.ts";
