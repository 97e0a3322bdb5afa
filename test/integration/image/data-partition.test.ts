/**
 * The image's script that makes and opens the data partition, with the tools it has on the box and a loop device as its card: the table that grows,
 * the LUKS header, the key in it, the file system. Only the mapping itself is played, by a second loop device: test computers' kernels may have no
 * dm-crypt. That the key opens the header is asked of cryptsetup all the same. What the script does about each state of a card: disk.test.ts.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { z } from "zod";
import { makeDisk } from "../../../scripts/image.d/disk.ts";
import { testWith } from "../../support/tools.ts";

const SCRIPT = new URL("../../../image/rootfs/usr/lib/niac/disk", import.meta.url).pathname;
const SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin";
const MIB = 1_048_576;
const CARD = 1_400 * MIB;
const UUID = "6e696163-0000-4000-8000-00000000002a";
const LUKS_HEADER = 16 * MIB;

const withTools = testWith(
  "root",
  "unshare",
  "losetup",
  "sfdisk",
  "partx",
  "cryptsetup",
  "mkfs.ext4",
  "e2fsck",
);

interface Answer {
  readonly code: number | null;
  readonly out: string;
}

class Card {
  readonly dir: string;
  /** E.g. /dev/loop3. */
  readonly device: string;

  private constructor(t: ExecutionContext, dir: string) {
    this.dir = dir;
    const attach = (file: string): string => {
      const { out } = this.#must("losetup", "--find", "--show", file);
      t.teardown(() => void this.run("losetup", "--detach", out.trim()));
      return out.trim();
    };
    this.device = attach(join(dir, "card"));
    // Not every kernel looks for partitions itself.
    this.#must("partx", "--update", this.device);
    t.teardown(() => void this.run("partx", "--delete", this.device));
    const mapped = attach(join(dir, "mapped"));
    writeFileSync(join(dir, "boot/env"), `NIAC_SLOT=A\nNIAC_DISK=${this.device}\nNIAC_DATA_UUID=${UUID}\n`);
    // Where the box has its data partition mapped and mounted, this computer has nothing.
    this.#play("cryptsetup", [
      `case $1 in`,
      `open) /usr/sbin/cryptsetup open --test-passphrase --type luks2 --key-file - "$6" && cp -a ${mapped} /dev/mapper/data ;;`,
      `close) rm /dev/mapper/data ;;`,
      `*) exec /usr/sbin/cryptsetup "$@" ;;`,
      `esac`,
    ]);
    for (const name of ["mount", "umount", "mountpoint"])
      this.#play(name, [
        `for word; do shift; [ "$word" != /data ] || word=${dir}/data; set -- "$@" "$word"; done`,
        `PATH=${SYSTEM} exec ${name} "$@"`,
      ]);
  }

  /** A card that the image was written to, and is larger than that. */
  static async written(t: ExecutionContext): Promise<Card> {
    const dir = mkdtempSync(join(tmpdir(), "niac-card-"));
    t.teardown(() => rmSync(dir, { recursive: true }));
    for (const name of ["boot", "bin", "data"]) mkdirSync(join(dir, name));
    await makeDisk(join(dir, "card"), {});
    truncateSync(join(dir, "card"), CARD);
    writeFileSync(join(dir, "mapped"), "");
    truncateSync(join(dir, "mapped"), 256 * MIB);
    return new Card(t, dir);
  }

  #play(name: string, lines: readonly string[]): void {
    writeFileSync(join(this.dir, "bin", name), ["#!/bin/sh", ...lines, ""].join("\n"), { mode: 0o755 });
  }

  run(...words: readonly [string, ...string[]]): Answer {
    const [program, ...args] = words;
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: "utf8",
      env: { PATH: SYSTEM, LC_ALL: "C.UTF-8" },
    });
    return { code: status, out: stdout + stderr };
  }

  #must(...words: readonly [string, ...string[]]): Answer {
    const answer = this.run(...words);
    if (answer.code !== 0) throw new Error(`${words.join(" ")}: ${answer.out}`);
    return answer;
  }

  /** One start of the box, from opening the partition to closing it; `meanwhile`: a command while it is open. Its /dev/mapper is its own. */
  boot(meanwhile = ":"): Answer {
    const script = [
      "mkdir -p /dev/mapper",
      "mount -t tmpfs tmpfs /dev/mapper",
      `export NIAC_BOOT=${this.dir}/boot`,
      `PATH=${this.dir}/bin:${SYSTEM} sh ${SCRIPT} open || exit`,
      meanwhile,
      `PATH=${this.dir}/bin:${SYSTEM} sh ${SCRIPT} close`,
    ].join("\n");
    return this.run("unshare", "--mount", "--propagation", "private", "sh", "-c", script);
  }

  header(): Buffer {
    return spawnSync("head", ["-c", `${LUKS_HEADER}`, `${this.device}p6`], { maxBuffer: 2 * LUKS_HEADER })
      .stdout;
  }
}

const tableSchema = z.object({
  partitiontable: z.object({
    partitions: z.array(z.object({ name: z.string(), start: z.number(), size: z.number() })),
  }),
});

withTools(
  "the first boot makes the partition as large as the card, encrypts it, and puts a file system into it",
  async (t) => {
    const card = await Card.written(t);
    const { code, out } = card.boot(
      "findmnt -rno FSTYPE,OPTIONS $NIAC_BOOT/../data; blkid -s LABEL -o value /dev/mapper/data; touch $NIAC_BOOT/../data/record",
    );
    t.is(code, 0, out);
    t.regex(out, /^ext4 (?=.*\bnosuid\b)(?=.*\bnodev\b)(?=.*\bnoexec\b)(?=.*\bnoatime\b)/m);
    t.regex(out, /^niac-data$/m);
    const { partitions } = tableSchema.parse(
      JSON.parse(card.run("sfdisk", "--json", card.device).out),
    ).partitiontable;
    const data = partitions.find(({ name }) => name === "data");
    // The table's copy and an alignment of a MiB are at the end.
    const end = ((data?.start ?? 0) + (data?.size ?? 0)) * 512;
    t.true(end > CARD - 3 * MIB && end < CARD, `${end} of ${CARD}`);
    const dump = card.run("cryptsetup", "luksDump", `${card.device}p6`).out;
    for (const line of [
      /^Version:\s+2$/m,
      new RegExp(`^UUID:\\s+${UUID}$`, "m"),
      /^Label:\s+niac-data$/m,
      /^\s+cipher: aes-xts-plain64$/m,
      /^\s+Key:\s+512 bits$/m,
      /^\s+0: niac-key$/m,
    ])
      t.regex(dump, line);
    t.is(readFileSync(join(card.dir, "boot/sealed"), "utf8"), "card\n");
    t.false(existsSync(join(card.dir, "boot/data.key")), "the key itself lies nowhere");
  },
);

withTools(
  "each later boot opens it by the key in its header, finds what was written, and changes nothing of the header",
  async (t) => {
    const card = await Card.written(t);
    t.is(card.boot("echo kept >$NIAC_BOOT/../data/record").code, 0);
    const before = card.header();
    const { code, out } = card.boot("cat $NIAC_BOOT/../data/record");
    t.is(code, 0, out);
    t.regex(out, /^kept$/m);
    t.true(card.header().equals(before));
  },
);

withTools(
  "a card whose header is gone is not made anew, and one whose key is another's does not open",
  async (t) => {
    const card = await Card.written(t);
    t.is(card.boot().code, 0);
    const partition = `${card.device}p6`;
    const token = card.run("cryptsetup", "token", "export", "--token-id", "0", partition).out;
    const other = join(card.dir, "token");
    writeFileSync(other, token.replace(/"key":"[0-9a-f]+"/, `"key":"${"00".repeat(32)}"`));
    t.is(card.run("cryptsetup", "token", "remove", "--token-id", "0", partition).code, 0);
    t.is(
      card.run("cryptsetup", "token", "import", "--token-id", "0", "--json-file", other, partition).code,
      0,
    );
    const closed = card.boot();
    t.is(closed.code, 1);
    t.regex(closed.out, /does not open on this board/);

    t.is(card.run("dd", "if=/dev/zero", `of=${partition}`, "bs=1M", "count=32", "conv=fsync").code, 0);
    const lost = card.boot();
    t.is(lost.code, 1);
    t.regex(lost.out, /has no header any more/);
    t.true(card.header().equals(Buffer.alloc(LUKS_HEADER)));
  },
);
