/** The root file system's tree is the same for the same inputs, wherever they lie, whoever checked them out, and on whichever day. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "ava";
import { makeRoot } from "../../../scripts/image.d/root.ts";
import { checkLinks, copyTree, dropDeadLinks, pathsIn } from "../../../scripts/image.d/tree.ts";
import { testWith } from "../../support/tools.ts";

const DAY = 86_400;
const SOURCE_DATE = 20_000 * DAY;
const VERSION = "7.0-arm64";
const PACKAGES = {
  "usr/share/base-passwd/passwd.master":
    "root::0:0:root:/root:/bin/bash\ndaemon:*:1:1::/:/usr/sbin/nologin\n",
  "usr/share/base-passwd/group.master": "root:*:0:\ndaemon:*:1:\n",
  "usr/share/libc-bin/nsswitch.conf": "passwd: files\n",
  "usr/bin/mount": "#!/bin/sh\n",
  "usr/lib/systemd/system/gone.service": "[Service]\n",
  "etc/debian_version": "13.0\n",
  [`usr/lib/modules/${VERSION}/System.map`]: "",
  [`usr/lib/modules/${VERSION}/modules.builtin`]: "kernel/none.ko\n",
};
const OWN = {
  "image/prune": "usr/lib/systemd/system/gone.service\n",
  "image/modules": "# none\n",
  "image/niac.nft": "flush ruleset\n",
  "image/rootfs/usr/lib/systemd/system/var.mount": "[Mount]\nWhat=tmpfs\nWhere=/var\n",
  "image/rootfs/usr/lib/systemd/system/a.service":
    "[Service]\nExecStart=/usr/bin/true\n[Install]\nWantedBy=b.target\n",
  "image/rootfs/usr/lib/systemd/system-preset/00.preset": "enable a.service\n",
  "image/rootfs/usr/lib/sysusers.d/niac.conf": 'u niac - "niac"\n',
  "image/rootfs/usr/lib/niac/script": "#!/bin/sh\n",
  "build/app/bin/node": "node\n",
  "keyring.pem": "a certificate\n",
};
const WANTS = "usr/lib/systemd/system/local-fs.target.wants";

/** A checkout and packages below `at`, as somebody with that umask has them. */
function inputs(at: string, umask: number): string {
  const before = process.umask(umask);
  try {
    for (const [folder, files] of [
      ["packages", PACKAGES],
      ["own", OWN],
    ] as const) {
      for (const [name, text] of Object.entries(files)) {
        const path = join(at, folder, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
    }
    chmodSync(join(at, "own/image/rootfs/usr/lib/niac/script"), 0o777 & ~umask);
    const wants = join(at, "own/image/rootfs", WANTS);
    mkdirSync(wants);
    symlinkSync("../var.mount", join(wants, "var.mount"));
    symlinkSync("../gone.service", join(wants, "gone.service"));
  } finally {
    process.umask(before);
  }
  // Packages have the modes they were packed with.
  for (const name of ["", ...pathsIn(join(at, "packages"))]) chmodSync(join(at, "packages", name), 0o755);
  chmodSync(join(at, "packages/usr/bin/mount"), 0o4755);
  return at;
}

async function made(at: string): Promise<string> {
  const out = join(at, "work/root");
  await makeRoot({
    image: join(at, "own/image"),
    packages: join(at, "packages"),
    app: join(at, "own/build/app"),
    board: "qemu-arm64",
    version: "1.2.3",
    keyring: join(at, "own/keyring.pem"),
    extraModules: [],
    licences: "none\n",
    sourceDate: SOURCE_DATE,
    out,
  });
  return out;
}

/** What squashfs keeps of a tree, but the times. */
function listed(tree: string): string[] {
  return pathsIn(tree).map((name) => {
    const path = join(tree, name);
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) return `${name}/ ${mode}`;
    return `${name} ${mode} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
  });
}

const withTools = testWith("root", "systemd-sysusers", "systemctl", "depmod");

withTools("the same inputs give the same tree, from other folders, umasks and days", async (t) => {
  const work = mkdtempSync(join(tmpdir(), "niac-root-"));
  t.teardown(() => rmSync(work, { recursive: true }));
  const one = await made(inputs(join(work, "here"), 0o022));
  const two = await made(inputs(join(work, "and/elsewhere"), 0o077));
  t.deepEqual(listed(two), listed(one));
  // The day of the source, not of the build.
  t.regex(readFileSync(join(one, "etc/shadow"), "utf8"), /^niac:!\*:20000:/m);
  t.is(readlinkSync(join(one, WANTS, "var.mount")), "../var.mount");
  t.is(
    readlinkSync(join(one, "etc/systemd/system/b.target.wants/a.service")),
    "/usr/lib/systemd/system/a.service",
  );
  const names = listed(one);
  t.false(
    names.some((line) => line.startsWith(`${WANTS}/gone.service`)),
    "what was pruned is asked for by nobody",
  );
  t.true(
    names.some((line) => line.startsWith("usr/bin/mount 755 ")),
    "no program gives rights away",
  );
  t.true(names.some((line) => line.startsWith("usr/lib/niac/script 755 ")));
  t.true(names.some((line) => line.startsWith("etc/rauc/keyring.pem 644 ")));
  t.false(names.some((line) => line.includes(work)));
});

test("a link that names the builder's folder, or climbs out, stops the build by name", (t) => {
  const work = mkdtempSync(join(tmpdir(), "niac-links-"));
  t.teardown(() => rmSync(work, { recursive: true }));
  mkdirSync(join(work, "tree/etc"), { recursive: true });
  writeFileSync(join(work, "tree/etc/a"), "");
  symlinkSync("a", join(work, "tree/etc/b"));
  symlinkSync("/etc/a", join(work, "tree/etc/c"));
  symlinkSync("/usr/bin/nothing", join(work, "tree/etc/dead"));
  symlinkSync("/dev/null", join(work, "tree/etc/masked"));
  copyTree(join(work, "tree"), join(work, "copy"));
  t.is(readlinkSync(join(work, "copy/etc/b")), "a");
  t.notThrows(() => checkLinks(join(work, "copy"), [`${work}/`]));
  dropDeadLinks(join(work, "copy"), "etc");
  t.deepEqual(pathsIn(join(work, "copy/etc")), ["a", "b", "c", "masked"]);
  symlinkSync(join(work, "tree/etc/a"), join(work, "copy/etc/d"));
  t.throws(() => checkLinks(join(work, "copy"), [`${work}/`]), { message: /etc\/d leads out of the tree/ });
  rmSync(join(work, "copy/etc/d"));
  symlinkSync("../../tree/etc/a", join(work, "copy/etc/e"));
  t.throws(() => checkLinks(join(work, "copy"), []), { message: /etc\/e leads out of the tree/ });
});
