/** The box itself: starting its processes and again what crashed, stopping all of it cleanly; keys in memory; its lamps, panel, health and clock; updates of its image. */
export type { ClockChip } from "./clock-chip.ts";
export { CLOCK_PLACES, openClock, type ClockPlaces, type ClockSystem } from "./clock-system.ts";
export { guardMemory, GUARDED_NODE, type Guarded, type MemoryAddon } from "./guard.ts";
export { inheritedSockets, type Environment } from "./inherited.ts";
export { openHardware, type BoxHardware, type HardwareOptions, type Panel } from "./hardware.ts";
export type { Health } from "./health.ts";
export type { BoxLight } from "./lamps.ts";
export { createNotifier, type Notifier, type NotifyAddon } from "./notify.ts";
export type { InputAddon } from "./panel-device.ts";
export { UNKNOWN_INPUTS, type PanelEdge, type PanelInput, type PanelInputs } from "./panel-inputs.ts";
export type { AskedServer, TimeFollowing } from "./time-servers.ts";
export { userNamed } from "./user.ts";
export { Supervisor, type ProcessSpec, type SupervisorEvents } from "./supervisor.ts";
export {
  aboveFloor,
  IMAGE_PLACES,
  otherSlot,
  readFloor,
  readImageBox,
  readLastFailure,
  type ImageBox,
  type ImagePlaces,
  type Slot,
} from "./update-box.ts";
export { mayInstall, type BundleFacts, type InstallWish } from "./update-bundle.ts";
export { systemRauc, type Rauc, type RaucProgress, type RaucSlot } from "./update-rauc.ts";
export { failedUnits } from "./update-units.ts";
export { compareVersions, isVersion } from "./update-version.ts";
