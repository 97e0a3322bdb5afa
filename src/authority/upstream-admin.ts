import { UsageError, type Channel } from "../base/index.ts";
import { delegatedInit, delegatedShow } from "../link/index.ts";
import type { UpstreamAuthority } from "./upstream.ts";

export interface UpstreamAdminParts {
  readonly upstream: UpstreamAuthority;
  /** The appliance's DNS name, which its identity is to bear. */
  name(): string;
  /** There is an authority of the plant's own already. */
  plant(): boolean;
}

/** Answers one command's channel. */
export function serveUpstream(channel: Channel, parts: UpstreamAdminParts): void {
  const { identity } = parts.upstream;
  channel.handle(delegatedShow, () => identity.view());
  channel.handle(delegatedInit, async ({ url, trust, user, code, by }) => {
    if (parts.plant()) {
      throw new UsageError(
        "authority-there",
        "this appliance has an authority of its own, and does not take another's place beside it",
        "An appliance that was set up anew has none: its state directory is empty.",
      );
    }
    await identity.init({ url, trust, auth: { user, code }, name: parts.name(), by });
    const view = identity.view();
    if (view === null) throw new UsageError("no-authority", "there is no authority");
    return view;
  });
}
