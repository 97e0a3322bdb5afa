/** What is on a USB stick: the newest bundle that is to be installed, and of each other one why it is not. */
import { normalize } from "node:path";
import { compareVersions } from "../appliance/index.ts";
import { messageOf, UsageError } from "../base/index.ts";
import { boxDraft } from "./panel.ts";
import type { Checked, UpdateInstaller } from "./update-install.ts";
import { STICKS, type UpdateParts } from "./update-parts.ts";
import type { StoredUpdate } from "./update-store.ts";

export interface StickContent {
  /** Its path; null: nothing is to be installed. */
  readonly newest: string | null;
  /** For the reader; each is on record. */
  readonly refused: string[];
  /** What runs, waits for a restart already, or was tried and left before; for the reader. */
  readonly passed: string[];
  /** One of these waits for a restart. */
  readonly waits: boolean;
}

/**
 * A stick is in as long as nobody pulls it out, and looked at in each start of the box: a bundle on it that was tried and left would be tried
 * and left for ever. `paths`: from whoever mounted it; nothing else is looked at.
 */
export async function lookAtStick(
  parts: UpdateParts,
  installer: UpdateInstaller,
  paths: readonly string[],
  by: string,
): Promise<StickContent> {
  const refused: string[] = [];
  const passed: string[] = [];
  const found: Checked[] = [];
  let waits = false;
  for (const source of paths) {
    try {
      if (!source.startsWith(STICKS) || normalize(source) !== source)
        throw new UsageError("update-source", `${source} is on no stick`);
      const bundle = await installer.check({ source, by, allowDowngrade: false, again: true });
      const before = parts.store.lastOf(bundle.hash);
      if (bundle.version === parts.box.version) {
        passed.push(`${bundle.version} runs already`);
      } else if (before?.state === "rolled-back" || before?.state === "dismissed") {
        passed.push(await passOver(parts, before, bundle, by));
      } else if (before?.state === "installed") {
        waits = true;
        passed.push(`${before.version} is in slot ${before.slot} already, and waits for a restart`);
      } else found.push(bundle);
    } catch (error) {
      refused.push(messageOf(error));
    }
  }
  const newest = found.toSorted((a, b) => compareVersions(a.version, b.version)).at(-1);
  return { newest: newest?.source ?? null, refused, passed, waits };
}

/** On record once, beside what became of it then. */
async function passOver(
  { audit, clock, box }: UpdateParts,
  before: StoredUpdate,
  { source }: Checked,
  by: string,
): Promise<string> {
  const { id, version, hash, reason } = before;
  const why = `${by} does not bring ${version} again, which was tried and left: ${reason}; niac update install takes it all the same`;
  if (!audit.related(id).some((record) => record.reason === why)) {
    const detail = { from: box.version, by, source: source.slice(0, 300), version, hash };
    await audit.append([{ ...boxDraft(clock.now(), "update-refused", why, detail), ref: id }], "now");
  }
  return why;
}
