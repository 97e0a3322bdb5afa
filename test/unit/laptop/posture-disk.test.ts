import test from "ava";
import { linuxDisk } from "../../../src/laptop/posture-disk.ts";
import { Tree } from "./posture-tree.ts";

const HOME = "/home/alice";
const LUKS = "CRYPT-LUKS2-0123456789abcdef-root";

/** A disk of three partitions: for firmware, for booting, and for the rest. */
function withDisk(t: ConstructorParameters<typeof Tree>[0]): Tree {
  const tree = new Tree(t);
  tree.disk("nvme0n1", "259:0", ["nvme0n1p1", "259:1"], ["nvme0n1p2", "259:2"], ["nvme0n1p3", "259:3"]);
  tree.mount("259:1", "/boot/efi", "vfat", "/dev/nvme0n1p1");
  tree.mount("259:2", "/boot", "ext4", "/dev/nvme0n1p2");
  return tree;
}

/** The usual: LVM on LUKS, with swap in it. */
function encrypted(t: ConstructorParameters<typeof Tree>[0]): Tree {
  const tree = withDisk(t);
  tree.mapped("dm-0", "254:0", LUKS, ["nvme0n1p3"]);
  tree.mapped("dm-1", "254:1", "LVM-root", ["dm-0"]);
  tree.mapped("dm-2", "254:2", "LVM-swap", ["dm-0"]);
  tree.mount("254:1", "/", "ext4", "/dev/mapper/vg-root");
  tree.swap("/dev/dm-2", "partition");
  return tree;
}

test("LVM on LUKS is encrypted, swap in it as well, though /boot is not", (t) => {
  const found = linuxDisk(HOME, encrypted(t).files);
  t.true(found.value);
  t.is(found.found, "encrypted");
  t.regex(found.how, /dm-1 over dm-0 \(LUKS2\).*swap \/dev\/dm-2: dm-2 over dm-0 \(LUKS2\)/);
});

test("a partition without encryption is not", (t) => {
  const tree = withDisk(t);
  tree.mount("259:3", "/", "ext4", "/dev/nvme0n1p3");
  const found = linuxDisk(HOME, tree.files);
  t.false(found.value);
  t.regex(found.how, /^\/ and \/var and \/var\/tmp and \/tmp and \/home\/alice: nvme0n1p3 \(not encrypted\)/);
});

test("an encrypted home on a system that is not makes no encrypted laptop, nor the other way round", (t) => {
  for (const [root, home] of [
    ["259:3", "254:0"],
    ["254:0", "259:3"],
  ] as const) {
    const tree = withDisk(t);
    tree.mapped("dm-0", "254:0", LUKS, ["nvme0n1p2"]);
    tree.mount(root, "/", "ext4", "/dev/root");
    tree.mount(home, "/home", "ext4", "/dev/home");
    t.false(linuxDisk(HOME, tree.files).value);
  }
});

test("memory that is moved to an open disk makes it open", (t) => {
  const tree = encrypted(t);
  tree.swap("/dev/nvme0n1p2", "partition");
  const found = linuxDisk(HOME, tree.files);
  t.false(found.value);
  t.regex(found.how, /^swap \/dev\/nvme0n1p2: nvme0n1p2 \(not encrypted\)/);
});

test("a swap file is as encrypted as what holds it, and compressed memory is on no disk", (t) => {
  const tree = encrypted(t);
  tree.swap("/swap\\040file", "file");
  tree.mapped("zram0", "253:0", null, []);
  tree.write("/sys/devices/virtual/block/zram0/backing_dev", "none\n");
  tree.swap("/dev/zram0", "partition");
  t.true(linuxDisk(HOME, tree.files).value);
  tree.write("/sys/devices/virtual/block/zram0/backing_dev", "/dev/nvme0n1p2\n");
  t.false(linuxDisk(HOME, tree.files).value, "unless it is written to a disk when it is full");
});

for (const kind of ["LUKS1", "LUKS2", "PLAIN", "TCRYPT", "BITLK", "FVAULT2"]) {
  test(`dm-crypt as ${kind} encrypts`, (t) => {
    const tree = withDisk(t);
    tree.mapped("dm-0", "254:0", `CRYPT-${kind}-x`, ["nvme0n1p3"]);
    tree.mount("254:0", "/", "ext4", "/dev/mapper/root");
    t.true(linuxDisk(HOME, tree.files).value);
  });
}

for (const uuid of [
  "CRYPT-VERITY-0123-root",
  "CRYPT-INTEGRITY-root",
  "CRYPT-SUBDEV-0123-root",
  "LVM-root",
  "mpath-1",
  "crypt-LUKS2-x",
]) {
  test(`a device of device-mapper named ${uuid} does not`, (t) => {
    const tree = withDisk(t);
    tree.mapped("dm-0", "254:0", uuid, ["nvme0n1p3"]);
    tree.mount("254:0", "/", "ext4", "/dev/mapper/root");
    t.false(linuxDisk(HOME, tree.files).value);
  });
}

test("of a mirror both halves have to be encrypted, its partitions too", (t) => {
  const tree = withDisk(t);
  tree.disk("sda", "8:0", ["sda1", "8:1"]);
  tree.mapped("dm-0", "254:0", LUKS, ["nvme0n1p3"]);
  tree.mapped("dm-1", "254:1", LUKS, ["sda1"]);
  tree.mapped("md0", "9:0", null, ["dm-0", "dm-1"]);
  tree.mapped("md1", "9:1", null, ["dm-0", "sda1"]);
  tree.partition("md0p1", "259:8", "md0");
  tree.partition("md1p1", "259:9", "md1");
  tree.mount("259:8", "/", "ext4", "/dev/md0p1");
  t.true(linuxDisk(HOME, tree.files).value);
  tree.mount("259:9", "/home", "ext4", "/dev/md1p1");
  t.false(linuxDisk(HOME, tree.files).value);
});

test("btrfs is looked at by its devices, all of them", (t) => {
  const tree = withDisk(t);
  tree.mapped("dm-0", "254:0", LUKS, ["nvme0n1p3"]);
  tree.write("/dev/dm-0", "");
  tree.link("/dev/mapper/luks-root", "../dm-0");
  tree.directory("/sys/fs/btrfs/features");
  tree.directory("/sys/fs/btrfs/0123/devices/dm-0");
  tree.mount("0:35", "/", "btrfs", "/dev/mapper/luks-root");
  tree.mount("0:35", "/home", "btrfs", "/dev/mapper/luks-root");
  t.true(linuxDisk(HOME, tree.files).value);
  tree.directory("/sys/fs/btrfs/0123/devices/nvme0n1p2");
  t.false(linuxDisk(HOME, tree.files).value);
});

test("of two mounts at one place the later one counts, and the deepest", (t) => {
  const tree = encrypted(t);
  tree.mount("259:3", "/home", "ext4", "/dev/nvme0n1p3");
  t.false(linuxDisk(HOME, tree.files).value);
  tree.mount("254:1", "/home", "ext4", "/dev/dm-1");
  t.true(linuxDisk(HOME, tree.files).value);
  tree.mount("259:3", "/home/alic", "ext4", "/dev/nvme0n1p3");
  t.true(linuxDisk(HOME, tree.files).value, "a name that only begins alike is another place");
  tree.mount("259:3", HOME, "ext4", "/dev/nvme0n1p3");
  t.false(linuxDisk(HOME, tree.files).value);
});

test("a home that is a link is where the link leads", (t) => {
  const tree = encrypted(t);
  tree.mount("259:3", "/data", "ext4", "/dev/nvme0n1p3");
  tree.directory("/data/bob");
  tree.link("/home/bob", "../data/bob");
  t.false(linuxDisk("/home/bob", tree.files).value);
});

test("what lies in memory, on another computer, or cannot be written does not count", (t) => {
  const tree = encrypted(t);
  tree.mount("0:40", "/tmp", "tmpfs", "tmpfs");
  tree.mount("0:41", "/home", "nfs4", "server:/home");
  tree.mount("259:3", "/var", "ext4", "/dev/nvme0n1p3", "ro");
  t.true(linuxDisk(HOME, tree.files).value);
});

const UNKNOWN: Readonly<Record<string, readonly [(tree: Tree) => void, RegExp]>> = {
  zfs: [(tree) => tree.mount("0:42", "/home", "zfs", "pool/home"), /zfs says to root alone/],
  eCryptfs: [(tree) => tree.mount("0:43", HOME, "ecryptfs", "/home/.ecryptfs/alice"), /eCryptfs/],
  "an overlay": [(tree) => tree.mount("0:44", "/", "overlay", "overlay"), /overlay/],
  "a host's directory": [(tree) => tree.mount("0:45", "/home", "virtiofs", "home"), /virtiofs/],
  fuse: [(tree) => tree.mount("0:46", "/home", "fuse.gocryptfs", "/cipher"), /fuse\.gocryptfs/],
  bcachefs: [(tree) => tree.mount("0:47", "/home", "bcachefs", "/dev/sda:/dev/sdb"), /bcachefs/],
  "btrfs that does not say": [(tree) => tree.mount("0:48", "/home", "btrfs", "/dev/sdz"), /sys\/fs\/btrfs/],
  "a device that is not to be seen": [(tree) => tree.mount("8:99", "/home", "ext4", "/dev/sdz9"), /8:99/],
  "no mounts": [(tree) => tree.write("/proc/self/mountinfo", ""), /no mount holds/],
};
for (const [name, [change, words]] of Object.entries(UNKNOWN)) {
  test(`not known, and why: ${name}`, (t) => {
    const tree = encrypted(t);
    change(tree);
    const found = linuxDisk(HOME, tree.files);
    t.is(found.value, null);
    t.is(found.found, "not known");
    t.regex(found.how, words);
  });
}

test("not known: fscrypt on a partition that is open; a loop", (t) => {
  const tree = withDisk(t);
  tree.mount("259:3", "/", "ext4", "/dev/nvme0n1p3");
  tree.directory("/.fscrypt");
  t.regex(linuxDisk(HOME, tree.files).how, /fscrypt is set up on \//);
  t.is(linuxDisk(HOME, tree.files).value, null);
  const looped = encrypted(t);
  looped.mapped("loop0", "7:0", null, []);
  looped.write("/sys/devices/virtual/block/loop0/loop/backing_file", "/images/home.img\n");
  looped.mount("7:0", "/home", "ext4", "/dev/loop0");
  t.regex(linuxDisk(HOME, looped.files).how, /a loop over \/images\/home\.img/);
});

test("not known: a system that lies in memory as a whole; files that cannot be read", (t) => {
  const tree = new Tree(t);
  tree.mount("0:1", "/", "tmpfs", "tmpfs");
  t.is(linuxDisk(HOME, tree.files).value, null);
  const none = { read: () => null, list: () => null, real: () => null };
  t.regex(linuxDisk(HOME, none).how, /mountinfo cannot be read/);
});

test("what is open beats what is not known", (t) => {
  const tree = withDisk(t);
  tree.mount("259:3", "/", "ext4", "/dev/nvme0n1p3");
  tree.mount("0:42", "/home", "zfs", "pool/home");
  t.false(linuxDisk(HOME, tree.files).value);
});
