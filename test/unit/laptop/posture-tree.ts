/**
 * A Linux computer's files for the probes, in a directory of its own: /proc, /sys and /dev as the kernel lays them out, links included.
 *
 *     const tree = new Tree(t);
 *     tree.disk("nvme0n1", "259:0", ["nvme0n1p3", "259:3"]);
 *     tree.mapped("dm-0", "254:0", "CRYPT-LUKS2-0123-root", ["nvme0n1p3"]);
 *     tree.mount("254:0", "/", "ext4", "/dev/mapper/root");
 *     linuxDisk("/home/alice", tree.files)
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { HostFiles } from "../../../src/laptop/posture-facts.ts";
import { hostFiles } from "../../../src/laptop/posture-host.ts";

export class Tree {
  readonly root: string;
  readonly files: HostFiles;
  #mounts = "";
  #swaps = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
  /** Directory of each block device below /sys. */
  readonly #devices = new Map<string, string>();

  constructor(t: { teardown(finish: () => void): void }) {
    this.root = mkdtempSync(join(tmpdir(), "niac-tree-"));
    t.teardown(() => rmSync(this.root, { recursive: true, force: true }));
    this.files = hostFiles(this.root);
    this.write("/proc/self/mountinfo", "");
    this.write("/proc/swaps", this.#swaps);
    for (const place of [
      "/var/tmp",
      "/tmp",
      "/home/alice",
      "/sys/class/block",
      "/sys/dev/block",
      "/dev/mapper",
    ])
      this.directory(place);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  directory(path: string): void {
    mkdirSync(join(this.root, path), { recursive: true });
  }

  /** A whole device, and its partitions. */
  disk(
    name: string,
    number: string,
    ...partitions: readonly (readonly [name: string, number: string])[]
  ): void {
    this.#device(name, number, `/sys/devices/pci/${name}`);
    this.directory(`/sys/devices/pci/${name}/slaves`);
    for (const [each, eachNumber] of partitions) this.partition(each, eachNumber, name);
  }

  partition(name: string, number: string, of: string): void {
    const at = `${this.#devices.get(of) ?? ""}/${name}`;
    this.#device(name, number, at);
    this.write(`${at}/partition`, "1\n");
  }

  /** One made of others. `uuid`: a device mapper's; null: something else's. */
  mapped(name: string, number: string, uuid: string | null, below: readonly string[]): void {
    const at = `/sys/devices/virtual/block/${name}`;
    this.#device(name, number, at);
    if (uuid !== null) this.write(`${at}/dm/uuid`, `${uuid}\n`);
    this.directory(`${at}/slaves`);
    for (const each of below) this.link(`${at}/slaves/${each}`, this.#up(`${at}/slaves`, each));
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    symlinkSync(target, join(this.root, path));
  }

  mount(device: string, point: string, type: string, source: string, options = "rw"): void {
    this.#mounts += `36 35 ${device} / ${point} ${options},noatime shared:1 - ${type} ${source} ${options}\n`;
    this.write("/proc/self/mountinfo", this.#mounts);
  }

  swap(path: string, kind: "partition" | "file"): void {
    this.#swaps += `${path}                               ${kind}\t8388604\t\t0\t\t-2\n`;
    this.write("/proc/swaps", this.#swaps);
  }

  process(pid: number, name: string, user: number): void {
    this.write(
      `/proc/${pid}/status`,
      `Name:\t${name}\nUmask:\t0022\nState:\tS (sleeping)\nUid:\t${user}\t${user}\t${user}\t${user}\n`,
    );
  }

  #device(name: string, number: string, at: string): void {
    this.directory(at);
    this.#devices.set(name, at);
    this.link(`/sys/class/block/${name}`, `../..${at.slice("/sys".length)}`);
    this.link(`/sys/dev/block/${number}`, `../..${at.slice("/sys".length)}`);
  }

  #up(from: string, to: string): string {
    const depth = from.split("/").length - 1;
    return `${"../".repeat(depth)}${(this.#devices.get(to) ?? "").slice(1)}`;
  }
}
