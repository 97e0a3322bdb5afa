/** Which mount holds a path: /proc/self/mountinfo (proc_pid_mountinfo(5)) and /proc/swaps. Pure. */

export interface Mount {
  /** `major:minor`; major 0 is no block device's. */
  readonly device: string;
  /** Where it is mounted. */
  readonly point: string;
  readonly type: string;
  readonly source: string;
  /** Nothing can be written through it, and nothing in it. */
  readonly readOnly: boolean;
}

/**
 *     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *     id parent device root point options [optional...] - type source options-of-the-filesystem
 */
export function readMounts(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [left = "", right] = line.split(" - ", 2);
    const [, , device, , point, options] = left.split(" ");
    const [type, source, own = ""] = right?.split(" ") ?? [];
    if (device === undefined || point === undefined || type === undefined || source === undefined) return [];
    const readOnly = hasOption(options ?? "", "ro") && hasOption(own, "ro");
    return [{ device, point: unescaped(point), type, source: unescaped(source), readOnly }];
  });
}

/** The deepest mount, and of those at one place the last, which hides the others. Null: none holds it. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | null {
  let best: Mount | null = null;
  for (const mount of mounts) {
    if (!isBelow(path, mount.point)) continue;
    if (best === null || mount.point.length >= best.point.length) best = mount;
  }
  return best;
}

export interface Swap {
  readonly path: string;
  readonly kind: "partition" | "file";
}

/** `Filename Type Size Used Priority`, under a header. */
export function readSwaps(swaps: string): Swap[] {
  return swaps
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [path, kind] = line.trim().split(/\s+/);
      if (path === undefined || (kind !== "partition" && kind !== "file")) return [];
      return [{ path: unescaped(path), kind }];
    });
}

function isBelow(path: string, point: string): boolean {
  return point === "/" || path === point || path.startsWith(`${point}/`);
}

function hasOption(options: string, name: string): boolean {
  return options.split(",").includes(name);
}

/** Spaces and the like stand as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
