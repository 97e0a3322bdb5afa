/** The whole disk: a GUID partition table and six partitions. Slot B and the data partition begin empty. */
import {
  existsSync,
  openSync,
  closeSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
  statSync,
} from "node:fs";
import { run } from "./tools.ts";
import { contentUuid } from "./uuid.ts";

const MIB = 1024 * 1024;

export const PARTITIONS = [
  { name: "bootcfg", size: 64 * MIB, type: "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" },
  { name: "boot_a", size: 128 * MIB, type: "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" },
  { name: "boot_b", size: 128 * MIB, type: "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" },
  { name: "root_a", size: 384 * MIB, type: "0FC63DAF-8483-4772-8E79-3D69D8477DE4" },
  { name: "root_b", size: 384 * MIB, type: "0FC63DAF-8483-4772-8E79-3D69D8477DE4" },
  // The first boot makes it as large as the medium lets it.
  { name: "data", size: 64 * MIB, type: "0FC63DAF-8483-4772-8E79-3D69D8477DE4" },
] as const;
export type PartitionName = (typeof PARTITIONS)[number]["name"];

export function sizeOf(name: PartitionName): number {
  return PARTITIONS.find((one) => one.name === name)?.size ?? 0;
}

/** `contents`: files that are written to the beginning of their partitions. */
export async function makeDisk(
  file: string,
  contents: Readonly<Partial<Record<PartitionName, string>>>,
): Promise<void> {
  rmSync(file, { force: true });
  writeFileSync(file, "");
  truncateSync(
    file,
    PARTITIONS.reduce((sum, { size }) => sum + size, 2 * MIB),
  );
  let start = MIB;
  const lines = ["label: gpt", `label-id: ${steadyUuid("disk")}`, `first-lba: 2048`];
  const starts = new Map<string, number>();
  for (const { name, size, type } of PARTITIONS) {
    lines.push(
      `start=${start / 512}, size=${size / 512}, type=${type}, uuid=${steadyUuid(name)}, name=${name}`,
    );
    starts.set(name, start);
    start += size;
  }
  await run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", file], {
    input: `${lines.join("\n")}\n`,
  });
  for (const { name, size } of PARTITIONS) {
    const from = contents[name];
    if (from === undefined) continue;
    if (!existsSync(from)) throw new Error(`${from} is missing`);
    const length = statSync(from).size;
    if (length > size) throw new Error(`${from} has ${length} bytes, and the partition ${name} only ${size}`);
    copyInto(from, file, starts.get(name) ?? 0);
  }
}

/** The same for every box: nothing is found by it, and the image stays the same bytes. */
function steadyUuid(name: string): string {
  return contentUuid(`niac disk ${name}`);
}

/** Zeros are left out, so that the file stays sparse. */
function copyInto(from: string, to: string, at: number): void {
  const [source, target] = [openSync(from, "r"), openSync(to, "r+")];
  const block = Buffer.alloc(MIB);
  const empty = Buffer.alloc(MIB);
  try {
    for (let offset = 0; ; offset += MIB) {
      const length = readSync(source, block, 0, MIB, offset);
      if (length === 0) return;
      const part = block.subarray(0, length);
      if (!part.equals(empty.subarray(0, length))) writeSync(target, part, 0, length, at + offset);
    }
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
