/** What niac's processes say to each other: the calls and events of the channel, and connecting to it. Types and schemas only. */
export * from "./admin.ts";
export * from "./authority.ts";
export * from "./box.ts";
export * from "./claim.ts";
export * from "./clock.ts";
export * from "./enrolment.ts";
export * from "./delegated.ts";
export * from "./gateway.ts";
export * from "./locks.ts";
export * from "./netd.ts";
export * from "./outside.ts";
export * from "./panel.ts";
export * from "./prepared.ts";
export * from "./trust.ts";
export * from "./update.ts";
export {
  ADMIN_SOCKET,
  dial,
  GATEWAY_SOCKET,
  listen,
  NETD_SOCKET,
  type Admitted,
  type Owner,
} from "./sockets.ts";
