import { Command } from "commander";
import { UsageError } from "../base/index.ts";
import { profileName, profilesDirectory } from "./places.ts";
import { postureAlways, postureOnce } from "./posture.ts";
import type { PostureHost } from "./posture-facts.ts";
import { thisHost } from "./posture-host.ts";
import { ProfileStore } from "./store.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

interface Typed {
  readonly post?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly profile?: string;
}

/** `host`: the computer that is looked at; default: this one. */
export function postureCommand(around: LaptopSurroundings, host: PostureHost = thisHost(around)): Command {
  return new Command("posture")
    .description(
      "on a laptop: what it is like (disk encryption, system, protection), as far as you may see it",
    )
    .option("--post", "report it to the box of the profile, and show what it meets there")
    .option("--watch", "stay, and report whenever it is due or something changes")
    .option("--json", "as JSON, for programs")
    .option("--profile <name>", "as whom, and where (NIAC_PROFILE)")
    .action(({ post, watch, json, profile }: Typed) => {
      if (watch === true && json === true)
        throw new UsageError("posture-json", "--json shows one look, and --watch goes on looking");
      const store = new ProfileStore(profilesDirectory(around), profileName(profile, around.lookup));
      if (watch === true) return postureAlways(host, store, around);
      return postureOnce(host, post === true ? store : null, json ?? false, around);
    });
}
