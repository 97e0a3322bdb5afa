/** The sockets at which the kernel hands captured connections over: opened by root, inherited by the gateway, which needs no privilege. */
import { INNER, messageOf } from "../base/index.ts";
import { loadNative } from "../native/index.ts";

const BACKLOG = 1_024;

export interface Entrances {
  readonly captured: number;
  readonly plain: number;
  readonly outbound: number;
}

/** Descriptors of the three, or for the reader why this process cannot stand in the cable. */
export function openEntrances(): { readonly entrances: Entrances } | { readonly problem: string } {
  if (process.getuid?.() !== 0) return { problem: "standing in the cable takes root" };
  const loaded = loadNative();
  if ("problem" in loaded) return loaded;
  const open = (port: number): number => loaded.native.listenTransparent("0.0.0.0", port, BACKLOG);
  try {
    const { captured, plain, outbound } = INNER;
    return { entrances: { captured: open(captured), plain: open(plain), outbound: open(outbound) } };
  } catch (error) {
    return { problem: `the sockets for captured connections cannot be opened: ${messageOf(error)}` };
  }
}
