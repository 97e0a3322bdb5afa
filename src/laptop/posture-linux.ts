import { linuxDisk } from "./posture-disk.ts";
import { linuxEdr } from "./posture-edr.ts";
import { unknown, type PostureFindings, type PostureHost } from "./posture-facts.ts";

/** What a Linux laptop shows of itself to anybody who is logged in. */
export function linuxPosture({ release, home, files }: PostureHost): PostureFindings {
  if (/microsoft/i.test(release)) {
    const inside = unknown(
      "this is Linux within Windows (WSL), and the laptop is Windows: run niac posture there",
    );
    return { diskEncryption: inside, os: inside, edr: inside };
  }
  const version = kernelVersion(release, files.read("/proc/version"), files.read("/proc/version_signature"));
  const distribution = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(files.read("/etc/os-release") ?? "")?.[1];
  return {
    diskEncryption: linuxDisk(home, files),
    os: {
      value: { name: "linux", version },
      found: `linux ${version}${distribution === undefined ? "" : ` (${distribution})`}`,
      how:
        version === release
          ? "the kernel's version (uname)"
          : `the version of which kernel ${release} is built`,
    },
    edr: linuxEdr(files),
  };
}

/**
 * The kernel's own version. Debian and Ubuntu name a kernel by what modules fit it (`6.1.0-37-amd64`), which stays the same over
 * corrections; the version that tells them is `6.1.140-1` and stands beside it.
 */
export function kernelVersion(release: string, version: string | null, signature: string | null): string {
  const ubuntu = /^Ubuntu \S+ (\d+(?:\.\d+)+)$/.exec(signature?.trim() ?? "")?.[1];
  const debian = /#.* Debian (\d+(?:\.\d+)+(?:-\S+)?)/.exec(version ?? "")?.[1];
  return ubuntu ?? debian ?? release;
}
