/** The root file system's tree: Debian's packages less what is pruned, niac, and image/rootfs on top. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { copyModules, kernelVersion } from "./kernel.ts";
import { readList } from "./lists.ts";
import { run } from "./tools.ts";
import { checkLinks, copyTree, dropDeadLinks, dropPrivilegeBits, steadyModes } from "./tree.ts";

/** Mount points, and folders that must be there though nothing of the packages is in them. */
const EMPTY: readonly string[] = [
  "boot/cfg",
  "data",
  "dev",
  "mnt/rauc",
  "proc",
  "root",
  "run",
  "sys",
  "tmp",
  "var",
];

export interface RootOptions {
  readonly image: string;
  /** Debian's packages, extracted. */
  readonly packages: string;
  /** What makeApp() made. */
  readonly app: string;
  readonly board: string;
  readonly version: string;
  readonly keyring: string;
  /** Kernel modules of our own. */
  readonly extraModules: readonly string[];
  readonly licences: string;
  /** Seconds since 1970. */
  readonly sourceDate: number;
  readonly out: string;
}

export async function makeRoot(options: RootOptions): Promise<void> {
  const { image, packages, out } = options;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const from = readdirSync(packages).filter(
    (name) => !["proc", "sys", "dev", "run", "tmp", "boot", "var"].includes(name),
  );
  await run("tar", [
    "-cf",
    join(out, "..", "root.tar"),
    "--exclude=usr/lib/modules",
    "-C",
    packages,
    ...from,
  ]);
  await run("tar", ["-xf", join(out, "..", "root.tar"), "-C", out]);
  rmSync(join(out, "..", "root.tar"));
  makeAccounts(packages, out);
  for (const pattern of readList(join(image, "prune")))
    for (const path of globSync(join(out, pattern))) rmSync(path, { recursive: true, force: true });
  await copyModules({
    from: packages,
    to: out,
    version: kernelVersion(packages),
    wanted: readList(join(image, "modules")),
    extra: options.extraModules,
  });
  put(options.app, join(out, "usr/lib/niac"));
  put(join(image, "niac.nft"), join(out, "usr/lib/niac/niac.nft"));
  const own = join(image, "rootfs");
  copyTree(own, out);
  steadyModes(own, out);
  for (const name of EMPTY) mkdirSync(join(out, name), { recursive: true });
  writeFiles(options);
  // Users that units and niac's processes have, and what is started: both as the files say, by systemd's own tools.
  await run("systemd-sysusers", [`--root=${out}`], { env: { SOURCE_DATE_EPOCH: `${options.sourceDate}` } });
  for (const kept of ["passwd-", "group-", "shadow-", "gshadow-", ".pwd.lock"])
    rmSync(join(out, "etc", kept), { force: true });
  rmSync(join(out, "etc/systemd/system"), { recursive: true, force: true });
  mkdirSync(join(out, "etc/systemd/system"), { recursive: true });
  if (existsSync(join(own, "etc/systemd/system")))
    put(join(own, "etc/systemd/system"), join(out, "etc/systemd/system"));
  // Before, because systemctl gives up where a unit is a link to nothing; after, for what it linked.
  dropDeadLinks(out, "usr/lib/systemd/system");
  await run("systemctl", [`--root=${out}`, "preset-all"]);
  dropDeadLinks(out, "etc/systemd/system");
  dropPrivilegeBits(join(out, "usr"));
  checkLinks(out, [dirname(image), out]);
}

/** A file or a tree from the checkout, whatever umask it was checked out with. */
function put(from: string, to: string): void {
  copyTree(from, to);
  if (lstatSync(from).isDirectory()) steadyModes(from, to);
  else chmodSync(to, 0o644);
}

/** What base-passwd's and libc-bin's installation would have made. */
function makeAccounts(packages: string, out: string): void {
  const accounts = join(packages, "usr/share/base-passwd");
  const passwd = readFileSync(join(accounts, "passwd.master"), "utf8").replace(
    /^root:.*$/m,
    "root:x:0:0:root:/root:/bin/bash",
  );
  writeFileSync(join(out, "etc/passwd"), passwd.replaceAll(":*:", ":x:"));
  writeFileSync(
    join(out, "etc/group"),
    readFileSync(join(accounts, "group.master"), "utf8").replaceAll(":*:", ":x:"),
  );
  // Nobody has a password, and nobody can log in with one. The date of the last change is left out: it would be the build's.
  const names = passwd
    .trim()
    .split("\n")
    .map((line) => line.split(":")[0] ?? "");
  writeFileSync(join(out, "etc/shadow"), names.map((name) => `${name}:!*:::::::\n`).join(""), {
    mode: 0o600,
  });
  copyFileSync(join(packages, "usr/share/libc-bin/nsswitch.conf"), join(out, "etc/nsswitch.conf"));
  // The alternatives' choice, without the alternatives.
  symlinkSync("mawk", join(out, "usr/bin/awk"));
}

function writeFiles({ out, board, version, keyring, licences }: RootOptions): void {
  const write = (path: string, text: string): void => {
    mkdirSync(join(out, path, ".."), { recursive: true });
    writeFileSync(join(out, path), text);
  };
  const debian = readFileSync(join(out, "etc/debian_version"), "utf8").trim();
  write(
    "usr/lib/os-release",
    [
      'NAME="niac"',
      "ID=niac",
      "ID_LIKE=debian",
      `VERSION_ID=${version}`,
      `PRETTY_NAME="niac ${version} on Debian ${debian}"`,
      "IMAGE_ID=niac",
      `IMAGE_VERSION=${version}`,
      `VARIANT_ID=${board}`,
      "",
    ].join("\n"),
  );
  write("etc/machine-id", "");
  write("etc/hostname", "niac\n");
  write("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
  write("etc/resolv.conf", "");
  write("etc/fstab", "# Mounts are units: usr/lib/systemd/system/*.mount\n");
  mkdirSync(join(out, "usr/share/doc/niac"), { recursive: true });
  // Without a time in its head: the same text is the same file.
  writeFileSync(join(out, "usr/share/doc/niac/licences.txt.gz"), gzipSync(licences, { level: 9 }));
  put(keyring, join(out, "etc/rauc/keyring.pem"));
  const system = join(out, "etc/rauc/system.conf");
  if (existsSync(system)) writeFileSync(system, readFileSync(system, "utf8").replaceAll("@BOARD@", board));
}
