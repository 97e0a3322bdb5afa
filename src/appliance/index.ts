/** The box itself: starting its processes and again what crashed, stopping all of it cleanly; keys in memory; its lamps. */
export { guardMemory, GUARDED_NODE, type Guarded, type MemoryAddon } from "./guard.ts";
export { inheritedSockets, type Environment } from "./inherited.ts";
export { Led, type LedState } from "./led.ts";
export { createNotifier, type Notifier, type NotifyAddon } from "./notify.ts";
export { userNamed } from "./user.ts";
export { Supervisor, type ProcessSpec, type SupervisorEvents } from "./supervisor.ts";
