/** Whether a Linux laptop's disk is encrypted, without root: what holds its files, and what memory is moved to. */
import { posix } from "node:path";
import { blockState, together, type BlockState } from "./posture-block.ts";
import { unknown, type Found, type HostFiles } from "./posture-facts.ts";
import { mountOf, readMounts, readSwaps, type Mount } from "./posture-mounts.ts";

/** Where a person's work, programs' data and what they leave lying about end up; /boot is left out, which no disk encryption covers. */
const PLACES = ["/", "/var", "/var/tmp", "/tmp"] as const;
const IN_MEMORY: readonly string[] = ["tmpfs", "ramfs"];
/** On another computer's disk. */
const ELSEWHERE: readonly string[] = ["nfs", "nfs4", "cifs", "smb3", "ceph", "afs"];
const HOW = "mounts, swap and the devices below them (/proc/self/mountinfo, /proc/swaps, /sys/class/block)";

export function linuxDisk(home: string, files: HostFiles): Found<boolean> {
  const mountinfo = files.read("/proc/self/mountinfo");
  const swaps = files.read("/proc/swaps");
  if (mountinfo === null || swaps === null)
    return unknown(`${mountinfo === null ? "/proc/self/mountinfo" : "/proc/swaps"} cannot be read`);
  const mounts = readMounts(mountinfo);
  const held = new Map<Mount, string[]>();
  for (const place of [...PLACES, home]) {
    const mount = mountOf(files.real(place) ?? place, mounts);
    if (mount === null) return unknown(`no mount holds ${place}`);
    held.set(mount, [...(held.get(mount) ?? []), place]);
  }
  const states = [...held].map(([mount, places]) => named(places.join(" and "), mountState(mount, files)));
  for (const { path, kind } of readSwaps(swaps)) {
    const mount = mountOf(files.real(path) ?? path, mounts);
    const state =
      kind === "partition"
        ? blockState(nameOf(path, files), files)
        : mount === null
          ? lost(`no mount holds ${path}`)
          : mountState(mount, files);
    states.push(named(`swap ${path}`, state));
  }
  const { encrypted, words } = together(states);
  if (encrypted === null) return unknown(words);
  if (encrypted === "memory") return unknown("nothing that is written here stays on a disk of this computer");
  return { value: encrypted, found: encrypted ? "encrypted" : "not encrypted", how: `${words}: ${HOW}` };
}

function mountState(mount: Mount, files: HostFiles): BlockState {
  const { device, point, type, source, readOnly } = mount;
  if (readOnly || IN_MEMORY.includes(type) || ELSEWHERE.includes(type))
    return { encrypted: "memory", words: `${type}${readOnly ? ", read only" : ""}` };
  if (type === "zfs") return lost("zfs says to root alone which datasets are encrypted");
  if (type === "ecryptfs")
    return lost("eCryptfs encrypts directories, and what lies beside them is not known");
  if (type === "overlay") return lost("an overlay does not say on which disk it lies");
  const state = device.startsWith("0:") ? sourceState(type, source, files) : deviceState(device, files);
  if (state.encrypted === false && files.list(posix.join(point, ".fscrypt")) !== null)
    return lost(`fscrypt is set up on ${point}, and which of its directories are encrypted is not known`);
  return state;
}

function deviceState(device: string, files: HostFiles): BlockState {
  const real = files.real(`/sys/dev/block/${device}`);
  return real === null
    ? lost(`device ${device} is not to be seen in /sys/dev/block`)
    : blockState(posix.basename(real), files);
}

/** A filesystem over several devices has a number of its own: btrfs tells its devices. */
function sourceState(type: string, source: string, files: HostFiles): BlockState {
  if (type !== "btrfs" || !source.startsWith("/dev/"))
    return lost(`a filesystem of type ${type} does not say on which disk it lies`);
  const name = nameOf(source, files);
  for (const volume of files.list("/sys/fs/btrfs") ?? []) {
    const devices = files.list(`/sys/fs/btrfs/${volume}/devices`) ?? [];
    if (devices.includes(name)) return together(devices.map((each) => blockState(each, files)));
  }
  return lost(`/sys/fs/btrfs does not say which devices ${source} goes with`);
}

/** `/dev/mapper/home` is a link to `/dev/dm-0`. */
function nameOf(path: string, files: HostFiles): string {
  return posix.basename(files.real(path) ?? path);
}

function lost(words: string): BlockState {
  return { encrypted: null, words };
}

function named(what: string, { encrypted, words }: BlockState): BlockState {
  return { encrypted, words: `${what}: ${words}` };
}
