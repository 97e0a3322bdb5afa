/** The image's script that makes or opens the data partition: when it formats, and when it leaves alone what it finds. Files play the card. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { testWith } from "../../support/tools.ts";

const SCRIPT = new URL("../../../image/rootfs/usr/lib/niac/disk", import.meta.url).pathname;
const SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin";
const MARK = 255 * 4096;
/** Programs that would change the card or the computer: they only say that they were asked. */
const PLAYED = ["sfdisk", "partx", "mkfs.ext4", "e2fsck", "mount", "sync"] as const;

const testScript = testWith("root");

class Card {
  readonly dir: string;

  /** `mark`: what stands in the card's block about its data partition. `data`: what the partition begins with. */
  constructor(t: ExecutionContext, { mark = "", data = "" }: { mark?: string; data?: string } = {}) {
    this.dir = mkdtempSync(join(tmpdir(), "niac-disk-"));
    t.teardown(() => rmSync(this.dir, { recursive: true }));
    for (const folder of ["boot", "bin"]) mkdirSync(join(this.dir, folder));
    const disk = Buffer.alloc(1 << 20);
    disk.write(mark, MARK);
    writeFileSync(join(this.dir, "disk"), disk);
    writeFileSync(join(this.dir, "disk6"), Buffer.concat([Buffer.from(data), Buffer.alloc(1 << 20)]));
    const { dir } = this;
    writeFileSync(join(dir, "boot/env"), `NIAC_SLOT=A\nNIAC_DISK=${dir}/disk\nNIAC_DATA_UUID=1\n`);
    for (const name of PLAYED) this.program(name, `echo ${name} >>${dir}/calls`);
    this.program(
      "cryptsetup",
      `case $1 in
         isLuks) [ "$(head -c 4 ${dir}/disk6)" = LUKS ] || grep -q luksFormat ${dir}/calls ;;
         # Without a TPM the key is in a token of the header.
         token) echo '{"type":"niac-key","keyslots":["0"],"key":"abc"}' ;;
         *) echo "cryptsetup $1" >>${dir}/calls ;;
       esac`,
    );
    this.program("mountpoint", "exit 1");
    writeFileSync(join(dir, "calls"), "");
  }

  program(name: string, text: string): void {
    const path = join(this.dir, "bin", name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  }

  /** Reading this file of the card fails, as that of a card at its end does. */
  unreadable(name: "disk" | "disk6"): void {
    this.program("dd", `case "$*" in *"if=${this.dir}/${name} "*) exit 1 ;; esac\nexec /bin/dd "$@"`);
  }

  open(): { readonly code: number | null; readonly out: string } {
    const { dir } = this;
    const { status, stdout, stderr } = spawnSync("/bin/sh", [SCRIPT, "open"], {
      encoding: "utf8",
      env: { PATH: `${dir}/bin:${SYSTEM}`, NIAC_BOOT: `${dir}/boot` },
      timeout: 60_000,
    });
    return { code: status, out: stdout + stderr };
  }

  get calls(): string[] {
    return readFileSync(join(this.dir, "calls"), "utf8").trim().split("\n");
  }

  get mark(): string {
    return readFileSync(join(this.dir, "disk"))
      .subarray(MARK, MARK + 4096)
      .toString("latin1")
      .replaceAll("\0", "");
  }
}

for (const [what, mark] of [
  ["a new card's", ""],
  ["a partition whose making was cut short, whatever is in it,", "niac data partition: begun\n"],
] as const)
  testScript(`${what} data partition is made, and marked so; niac status may read what opens it`, (t) => {
    const card = new Card(t, { mark, data: mark === "" ? "" : "half a header" });
    const { code, out } = card.open();
    t.is(code, 0, out);
    t.true(card.calls.includes("cryptsetup luksFormat"), card.calls.join());
    t.true(card.calls.indexOf("mkfs.ext4") > card.calls.indexOf("cryptsetup open"));
    t.is(card.mark, "niac data partition: made\n");
    const sealed = spawnSync("stat", ["-c", "%a", join(card.dir, "boot/sealed")], { encoding: "utf8" });
    t.is(sealed.stdout.trim(), "644");
    return Promise.resolve();
  });

testScript("a used partition is opened, and never made anew", (t) => {
  const card = new Card(t, { mark: "niac data partition: made\n", data: "LUKS" });
  t.is(card.open().code, 0);
  t.true(card.calls.includes("cryptsetup open"));
  t.false(card.calls.some((call) => /luksFormat|mkfs|sfdisk/.test(call)));
  return Promise.resolve();
});

for (const [what, card, unreadable, why] of [
  ["the mark cannot be read", {}, "disk", /cannot be read: nothing on it was changed/],
  ["the partition cannot be read", {}, "disk6", /cannot be read: nothing on it was changed/],
  ["the mark is no mark", { mark: "something else" }, null, /neither "begun" nor "made"/],
  [
    "the partition holds a stranger's data",
    { data: "ext4, or so" },
    null,
    /is not niac's, and is left alone/,
  ],
  [
    "a used partition has lost its header",
    { mark: "niac data partition: made\n" },
    null,
    /no header any more/,
  ],
] as const)
  testScript(`where ${what}, nothing on the card is changed, and it is said`, (t) => {
    const box = new Card(t, card);
    if (unreadable !== null) box.unreadable(unreadable);
    const content = (): Buffer =>
      Buffer.concat(["disk", "disk6"].map((name) => readFileSync(join(box.dir, name))));
    const before = content();
    const { code, out } = box.open();
    t.is(code, 1, out);
    t.regex(out, why);
    t.deepEqual(box.calls, [""]);
    t.true(content().equals(before));
    return Promise.resolve();
  });
