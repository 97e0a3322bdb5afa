/** Whether what is written to a block device lands encrypted on the disk: the stack of devices below it, as sysfs shows it to everybody. */
import { posix } from "node:path";
import type { HostFiles } from "./posture-facts.ts";

export interface BlockState {
  /** Null: it cannot be told. `memory`: it is on no disk. */
  readonly encrypted: boolean | "memory" | null;
  /** E.g. `dm-0 (LUKS2)`, `sda2 (not encrypted)`. */
  readonly words: string;
}

const BLOCK = "/sys/class/block";
/** Layers of a stack; more than anybody builds. */
const DEEPEST = 16;
/** cryptsetup's device-mapper names that encrypt. Its VERITY, INTEGRITY and SUBDEV devices bear the same prefix and do not. */
const CRYPT = /^CRYPT-(LUKS1|LUKS2|PLAIN|TCRYPT|BITLK|FVAULT2|LOOPAES)-/;

/** `name` as in /sys/class/block. */
export function blockState(name: string, files: HostFiles, depth = 0): BlockState {
  const at = posix.join(BLOCK, name);
  const real = files.real(at);
  if (real === null || depth > DEEPEST)
    return { encrypted: null, words: `${name} (not to be seen in ${BLOCK})` };
  const kind = CRYPT.exec(files.read(`${at}/dm/uuid`) ?? "")?.[1];
  if (kind !== undefined) return { encrypted: true, words: `${name} (${kind})` };
  if (name.startsWith("zram")) return zramState(name, files, depth);
  if (name.startsWith("loop")) {
    const file = files.read(`${at}/loop/backing_file`)?.trim() ?? "a file";
    return { encrypted: null, words: `${name} (a loop over ${file})` };
  }
  // A partition has no stack of its own: that is the whole device's, which is the directory above.
  if (files.read(`${at}/partition`) !== null) {
    const whole = blockState(posix.basename(posix.dirname(real)), files, depth + 1);
    return whole.encrypted === false ? plain(name) : { ...whole, words: `${name} of ${whole.words}` };
  }
  const below = (files.list(`${at}/slaves`) ?? []).map((slave) => blockState(slave, files, depth + 1));
  if (below.length === 0) return plain(name);
  const { encrypted, words } = together(below);
  return { encrypted, words: `${name} over ${words}` };
}

/** What is spread over several devices is as encrypted as the worst of them. */
export function together(states: readonly BlockState[]): BlockState {
  const worst = [false, null, true, "memory"].find((each) =>
    states.some(({ encrypted }) => encrypted === each),
  );
  const those = states.filter(({ encrypted }) => encrypted === worst);
  return { encrypted: those[0]?.encrypted ?? null, words: those.map(({ words }) => words).join(", ") };
}

function plain(name: string): BlockState {
  return { encrypted: false, words: `${name} (not encrypted)` };
}

/** Compressed memory, which may have a device that it writes to when it is full. */
function zramState(name: string, files: HostFiles, depth: number): BlockState {
  const behind = files.read(`${BLOCK}/${name}/backing_dev`)?.trim() ?? "none";
  if (behind === "none") return { encrypted: "memory", words: `${name} (in memory)` };
  return blockState(posix.basename(files.real(behind) ?? behind), files, depth + 1);
}
