/** Who there is in the image: no password, no shell, and the numbers that files on the data partition belong to. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mountedRoot, testImage } from "../support/image-tree.ts";

const NOLOGIN = "/usr/sbin/nologin";

const withTree = testImage("root", "mount");

/** Name, user's and group's number, shell: those of niac's are said in full, because files on the data partition belong to the numbers. */
const ACCOUNTS = [
  ["niac-control", "951", "951", NOLOGIN],
  ["niac-netd", "952", "952", NOLOGIN],
  ["niac-gateway", "953", "953", NOLOGIN],
  ["tss", "955", "955", NOLOGIN],
  ["_chrony", "956", "956", NOLOGIN],
];
/** Shells stand in Debian's own list for these two. With no password, no getty and no ssh, nobody gets one. */
const SHELLS = { root: "/bin/bash", sync: "/bin/sync" };
const GROUPS: Readonly<Record<string, readonly [string, string]>> = {
  niac: ["950", "niac-control,niac-netd"],
  "niac-control": ["951", ""],
  "niac-netd": ["952", ""],
  "niac-gateway": ["953", "niac-control"],
  "niac-panel": ["954", "niac-control"],
  tss: ["955", "niac-control"],
  _chrony: ["956", ""],
  sudo: ["27", ""],
  disk: ["6", ""],
};

withTree(
  "nobody has a password or, but root, a shell; niac's users have their numbers, and the groups they need",
  (t) => {
    const tree = mountedRoot(t);
    const table = (file: string): string[][] =>
      readFileSync(join(tree, "etc", file), "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(":"));
    const users = table("passwd");
    for (const account of ACCOUNTS)
      t.deepEqual(
        users
          .filter(([name]) => name === account[0])
          .map(([name, , uid, gid, , , shell]) => [name, uid, gid, shell]),
        [account],
      );
    t.deepEqual(
      users.filter(([, , uid]) => uid === "0").map(([name]) => name),
      ["root"],
    );
    t.deepEqual(
      Object.fromEntries(
        users.flatMap(([name, , , , , , shell]) => (shell === NOLOGIN ? [] : [[name, shell]])),
      ),
      SHELLS,
    );
    t.true(users.every(([, password]) => password === "x"));
    const shadow = table("shadow");
    t.deepEqual(new Set(shadow.map(([name]) => name)), new Set(users.map(([name]) => name)));
    t.true(shadow.every(([, password]) => password === "!*"));
    const groups = table("group");
    for (const [group, [gid, members]] of Object.entries(GROUPS))
      t.deepEqual(
        groups.filter(([name]) => name === group).map(([, , number, list]) => [number, list]),
        [[gid, members]],
        group,
      );
    return Promise.resolve();
  },
);
