/** The words QEMU is started with: the machine of image/boards/qemu-arm64. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SYSTEM_PATH } from "../namespaces.ts";
import type { Loaded } from "./firmware.ts";

const HARDWARE = fileURLToPath(new URL("../../../hw/qemu-arm64/", import.meta.url));

export interface Wiring {
  readonly directory: string;
  /** Sockets: of the card, of swtpm (null: the box has none), and those the bed listens on. */
  readonly card: string;
  readonly tpm: string | null;
  readonly console: string;
  readonly firmware: string;
  /** QEMU listens here. */
  readonly qmp: string;
  /** Ethernet addresses of the two ports. */
  readonly macs: { readonly uplink: string; readonly device: string };
}

/** Names of the tap devices that QEMU finds in the namespace it runs in. */
export const TAPS = { uplink: "tap-uplink", device: "tap-device" } as const;

const MACHINE = ["-machine", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024"];

/**
 * More on the kernel's command line. With its own page tables, which Debian's kernel has beside KASLR, each entry to it empties QEMU's TLB:
 * 200,000 system calls took 10.6 s with them and 1.4 s without. Boxes keep them; what is tested here is not the kernel's.
 */
const COMMAND_LINE = "kpti=off";

export function qemuWords(wiring: Wiring, loaded: Loaded): string[] {
  const { uplink, device } = wiring.macs;
  const options: Array<readonly [option: string, value: string]> = [
    ["-accel", "tcg,thread=multi"],
    ["-display", "none"],
    // A restart ends QEMU: who starts it again is the firmware.
    ["-action", "reboot=shutdown"],
    ["-action", "watchdog=reset"],
    ["-kernel", loaded.kernel],
    ["-initrd", loaded.initramfs],
    ["-append", `${loaded.commandLine} ${COMMAND_LINE}`],
    ["-blockdev", `driver=nbd,node-name=card,server.type=unix,server.path=${wiring.card}`],
    ["-device", "virtio-blk-pci,drive=card,addr=0x4,discard=off,write-zeroes=off"],
    // In the order of their slots, which gives them their names in the box (10-niac-qemu-*.link).
    ["-netdev", `tap,id=uplink,ifname=${TAPS.uplink},script=no,downscript=no`],
    ["-device", `virtio-net-pci,netdev=uplink,mac=${uplink},addr=0x5,romfile=`],
    ["-netdev", `tap,id=device,ifname=${TAPS.device},script=no,downscript=no`],
    ["-device", `virtio-net-pci,netdev=device,mac=${device},addr=0x6,romfile=`],
    ["-device", "i6300esb,addr=0x7"],
    ["-device", "virtio-rng-pci,addr=0x8"],
    ["-chardev", `socket,id=console,path=${wiring.console}`],
    ["-serial", "chardev:console"],
    ["-device", "virtio-serial-pci,addr=0x9"],
    ["-chardev", `socket,id=firmware,path=${wiring.firmware}`],
    ["-device", "virtserialport,chardev=firmware,name=niac.firmware"],
    ["-chardev", "pty,id=line"],
    ["-device", "pci-serial,chardev=line,addr=0xa"],
    ["-device", "qemu-xhci,id=usb,addr=0xb"],
    ["-qmp", `unix:${wiring.qmp},server=on,wait=off`],
  ];
  if (wiring.tpm !== null)
    options.push(
      ["-chardev", `socket,id=tpm,path=${wiring.tpm}`],
      ["-device", "virtserialport,chardev=tpm,name=niac.tpm"],
    );
  const tree = deviceTree(wiring.directory);
  if (tree !== null) options.push(["-dtb", tree]);
  return [...MACHINE, "-nodefaults", ...options.flat()];
}

/** The machine's own device tree with the panel's overlay (hw/qemu-arm64) on it. */
function deviceTree(directory: string): string | null {
  const source = join(HARDWARE, "niac-panel.dts");
  if (!existsSync(source)) return null;
  const [own, overlay, tree] = ["own.dtb", "panel.dtbo", "tree.dtb"].map((name) => join(directory, name));
  if (own === undefined || overlay === undefined || tree === undefined) return null;
  const words = MACHINE.with(1, `virt,dumpdtb=${own}`);
  const options = { env: { PATH: SYSTEM_PATH }, stdio: "pipe" } as const;
  execFileSync("qemu-system-aarch64", [...words, "-nodefaults", "-display", "none"], options);
  execFileSync("dtc", ["-q", "-@", "-I", "dts", "-O", "dtb", "-o", overlay, source], options);
  execFileSync("fdtoverlay", ["-i", own, "-o", tree, overlay], options);
  return tree;
}
