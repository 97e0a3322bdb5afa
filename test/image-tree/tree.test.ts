/** What is in the image's root file system and what is not, read from root.img as it is made. */
import { closeSync, openSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readList } from "../../scripts/image.d/lists.ts";
import { checkLinks, isInside } from "../../scripts/image.d/tree.ts";
import {
  entriesOf,
  imageFile,
  imageProgram,
  mountedRoot,
  ROOT,
  testImage,
  tool,
} from "../support/image-tree.ts";

const withTree = testImage("root", "mount", "unsquashfs");
const withPrograms = testImage("root", "mount", "qemu-aarch64-static");

const AARCH64 = 183;
const MIB = 1_048_576;

/** All that has another mode than 755, 644 and, for links, 777. */
const OTHER_MODES = { root: "700", "etc/shadow": "600", "etc/gshadow": "0" };

withTree(
  "everything belongs to root; nobody else writes it, nothing gives rights away, and there is no device",
  (t) => {
    const tree = mountedRoot(t);
    const other: Record<string, string> = {};
    for (const { name, stat } of entriesOf(tree)) {
      t.deepEqual([stat.uid, stat.gid], [0, 0], name);
      if (stat.isSymbolicLink()) continue;
      t.true(stat.isFile() || stat.isDirectory(), name);
      const mode = stat.mode & 0o7777;
      const usual = stat.isDirectory() ? mode === 0o755 : mode === 0o644 || mode === 0o755;
      if (!usual) other[name] = mode.toString(8);
    }
    t.deepEqual(other, OTHER_MODES);
    // No file's capabilities either: they would stand in its extended attributes.
    t.regex(tool("unsquashfs", "-s", imageFile("root.img")).out, /^Xattrs are not stored$/m);
    return Promise.resolve();
  },
);

/** Where links may lead that have nothing behind them until the box runs. */
const AT_RUN_TIME = /^\/(dev|proc|run|sys|var)\//;

withTree("every link leads to something in the tree, or to what the running box has", (t) => {
  const tree = mountedRoot(t);
  t.notThrows(() => checkLinks(tree, [ROOT]));
  const dead = entriesOf(tree)
    .filter(({ name, stat }) => stat.isSymbolicLink() && !isInside(tree, name))
    .map(({ name }) => `/${name} -> ${readlinkSync(join(tree, name))}`)
    .filter(
      (line) =>
        !AT_RUN_TIME.test(
          new URL(line.replace(/.* -> /, ""), `file://${line.replace(/ -> .*/, "")}`).pathname,
        ),
    );
  t.deepEqual(dead, []);
  return Promise.resolve();
});

/** Programs by their names, wherever they lie. */
const ABSENT: Readonly<Record<string, RegExp>> = {
  "a package manager": /^(apt|dpkg|rpm|snap|pip|npm|npx|corepack)(-.*)?$/,
  "a compiler": /^(.*-)?(gcc|g\+\+|cc|c\+\+|clang|as|ld|make|tcc)(-\d+)?$/,
  "another interpreter than sh and Node": /^(perl|python|ruby|lua|tclsh|php|gdb|busybox)[\d.]*$/,
  "a login, from the network or at a screen":
    /^(sshd?|scp|sftp.*|dropbear.*|telnetd?|in\..*|rlogin.*|login|su|sudo|doas|pkexec|passwd|newgrp)$/,
  "a tool that fetches or listens": /^(curl|wget|nc|ncat|netcat.*|socat|tftp|ftp|rsync|nmap|tcpdump)$/,
  "what sets an account up":
    /^(user|group)(add|mod|del)$|^(add|del)(user|group)$|^(ch|chg)passwd$|^newusers$/,
};

withTree("nothing is in it that a box does not need: no way to log in, to install or to compile", (t) => {
  const programs = entriesOf(mountedRoot(t)).filter(
    ({ stat }) => stat.isSymbolicLink() || (stat.isFile() && (stat.mode & 0o111) !== 0),
  );
  t.true(programs.length > 300);
  for (const [what, names] of Object.entries(ABSENT))
    t.deepEqual(
      programs
        .map(({ name }) => name)
        .filter((name) => /(^|\/)s?bin\//.test(name) && names.test(basename(name))),
      [],
      what,
    );
  return Promise.resolve();
});

withTree("every program is for the box's processor, or a script whose interpreter is there", (t) => {
  const tree = mountedRoot(t);
  const wrong: string[] = [];
  let binaries = 0;
  for (const { name, stat } of entriesOf(tree)) {
    if (!stat.isFile()) continue;
    const head = beginning(join(tree, name));
    if (head.subarray(0, 4).equals(Buffer.from("\u007fELF"))) {
      // Kernel modules are ELF, too; a helper for the kernel's own address space is none of either kind.
      binaries++;
      if (head.readUInt16LE(18) !== AARCH64) wrong.push(`${name} is for machine ${head.readUInt16LE(18)}`);
    } else if ((stat.mode & 0o111) !== 0) {
      const [, interpreter = "", argument = ""] = /^#! *(\S+)(?: (\S+))?/.exec(head.toString("latin1")) ?? [];
      // `env node` is the bundle's, which units start by Node's own path.
      const isThere =
        interpreter !== "" &&
        isInside(tree, interpreter) &&
        (!interpreter.endsWith("/env") || argument === "node");
      if (!isThere) wrong.push(`${name}: ${head.toString("latin1").split("\n", 1).join("")}`);
    }
  }
  t.deepEqual(wrong, []);
  t.true(binaries > 300, `${binaries}`);
  return Promise.resolve();
});

withTree("the kernel modules are those of image/modules and what they need, and no others", (t) => {
  const tree = mountedRoot(t);
  const folder = entriesOf(tree).find(({ name }) => /^usr\/lib\/modules\/[^/]+$/.test(name))?.name ?? "";
  const needs = new Map(
    readFileSync(join(tree, folder, "modules.dep"), "utf8")
      .trim()
      .split("\n")
      .map((line) => {
        const [path = "", rest = ""] = line.split(":");
        return [
          plain(path),
          rest
            .trim()
            .split(" ")
            .filter((one) => one !== "")
            .map(plain),
        ] as const;
      }),
  );
  const builtIn = new Set(
    readFileSync(join(tree, folder, "modules.builtin"), "utf8")
      .trim()
      .split("\n")
      .map(plain),
  );
  const wanted = readList(join(ROOT, "image/modules")).map(plain);
  t.deepEqual(
    wanted.filter((name) => !needs.has(name) && !builtIn.has(name)),
    [],
  );
  const allowed = new Set(wanted.flatMap((name) => [name, ...(needs.get(name) ?? [])]));
  const there = entriesOf(tree).flatMap(({ name }) =>
    /^usr\/lib\/modules\/.*\.ko(\.\w+)?$/.test(name) ? [plain(name)] : [],
  );
  t.true(there.length > 100);
  t.deepEqual(
    there.filter((name) => !allowed.has(name)),
    [],
  );
  return Promise.resolve();
});

withPrograms(
  "Node is the pinned one, niac the one of this checkout, and both run on the image's own libraries",
  (t) => {
    const tree = mountedRoot(t);
    const node = "usr/lib/niac/bin/node";
    t.deepEqual(imageProgram(tree, node, "--version"), { code: 0, out: `${process.version}\n`, err: "" });
    const niac = imageProgram(tree, node, join(tree, "usr/lib/niac/app/bin/niac.mjs"), "--version");
    t.deepEqual(niac, { code: 0, out: `${release(tree)}\n`, err: "" });
    return Promise.resolve();
  },
);

withTree("it says which release and board it is, and under which terms everything in it is", (t) => {
  const tree = mountedRoot(t);
  t.regex(readFileSync(join(tree, "usr/lib/os-release"), "utf8"), /^VARIANT_ID=qemu-arm64$/m);
  const licences = readFileSync(join(tree, "usr/share/doc/niac/licences.txt.gz"));
  t.is(gunzipSync(licences).toString("utf8"), readFileSync(imageFile("licences.txt"), "utf8"));
  // Empty: each box makes its own at its first boot.
  t.is(readFileSync(join(tree, "etc/machine-id"), "utf8"), "");
  return Promise.resolve();
});

/** MiB at most. The aim for the disk is what one downloads; --fast, which tests are made with, packs less tightly. */
const MOST: Readonly<Record<string, number>> = {
  "root.img": 200,
  initramfs: 24,
  kernel: 24,
  "niac-qemu-arm64.img.zst": 250,
  "niac-qemu-arm64.raucb": 250,
};

withTree("it is as small as it is said to be, and there is room in the slots", (t) => {
  for (const [name, most] of Object.entries(MOST)) {
    const { size } = statSync(imageFile(name));
    t.log(`${name}: ${(size / MIB).toFixed(1)} MiB of ${most}`);
    t.true(size <= most * MIB, `${name}: ${size} bytes, more than ${most} MiB`);
  }
  return Promise.resolve();
});

function beginning(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(128);
    return bytes.subarray(0, Math.max(20, readSync(file, bytes)));
  } finally {
    closeSync(file);
  }
}

/** kernel/drivers/net/a-b.ko.xz -> a_b */
function plain(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, "")
    .replaceAll("-", "_");
}

function release(tree: string): string {
  return /^IMAGE_VERSION=(.*)$/m.exec(readFileSync(join(tree, "usr/lib/os-release"), "utf8"))?.[1] ?? "";
}
