/** The box itself. So far: starting the processes, starting again what crashed, stopping all of it cleanly. */
export { userNamed } from "./user.ts";
export { Supervisor, type ProcessSpec, type SupervisorEvents } from "./supervisor.ts";
