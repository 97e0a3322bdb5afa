/** The addon in C beside this: system calls that Node has no function for. Nothing is loaded until it is asked for. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { messageOf } from "../base/index.ts";

/**
 * Each function throws a TypeError (code ERR_INVALID_ARG_VALUE) for a wrong argument, and what the kernel refuses as an Error
 * with `code`, `errno` and `syscall`. Descriptors are non-blocking and closed on exec; hand one on by child_process' `stdio`.
 * Interfaces are those of the network namespace the process is in.
 */
export interface Native {
  /** A TUN device without packet information: each packet starts with its IP header. It goes when the descriptor is closed. */
  openTun(name: string): number;
  /**
   * An AF_PACKET socket that hears every frame arriving at an interface, and none that leaves by it. It hears nothing before the
   * filter is in force. `filter`: packed struct sock_filter; empty: all frames. The filter sees a frame without its outer VLAN
   * tag, which the kernel keeps apart (SKF_AD_VLAN_TAG); watch() puts it back.
   */
  openPacket(interfaceName: string, filter: Buffer): number;
  /** For frames from now on; those that already wait are not looked at again. */
  setFilter(fd: number, filter: Buffer): void;
  /** Frames that found a packet socket's buffer full, since this was last asked. */
  packetDrops(fd: number): number;
  /**
   * Hands on packets as they come, at most `perTurn` (1 to 1,024) in a turn of the event loop, each cut at 9,216 bytes; the
   * buffers are the caller's to keep. Only TUN devices, packet sockets and input devices are taken (else EINVAL). Of an input device a
   * "packet" is one or more whole struct input_event.
   *
   * An error pauses it. ENETDOWN of a packet socket: the interface went down, and resume() goes on when it is up again; one
   * that was deleted and made anew needs a new socket. ENODEV of a TUN or input device: it is gone.
   */
  watch(
    fd: number,
    perTurn: number,
    onPackets: (packets: Buffer[]) => void,
    onError: (error: Error) => void,
  ): Watch;
  /** One packet. True: sent; false: no room for it now, and it is dropped. */
  write(fd: number, packet: Buffer): boolean;
  /**
   * A listening IPv4 socket with IP_TRANSPARENT: what TPROXY brings to it is accepted with the original destination as its local
   * address. Port 0: any free one. Needs CAP_NET_ADMIN or CAP_NET_RAW (else EPERM).
   */
  listenTransparent(address: string, port: number, backlog: number): number;
  /** An input device (evdev), to be read: `/dev/input/event0`. Anything else: ENOTTY. */
  openInput(path: string): number;
  /** What it calls itself, and by which bus it came (BUS_HOST, BUS_USB, ... of linux/input.h). ENODEV: it is gone, here and below. */
  inputIdentity(fd: number): { readonly name: string; readonly bus: number };
  /**
   * Bitmaps, bit n%8 of byte n/8 for code n: which keys and switches it has, and which of them are on now. Waiting events of keys and
   * switches are taken away by asking.
   */
  inputState(fd: number): {
    readonly keys: Buffer;
    readonly keysOn: Buffer;
    readonly switches: Buffer;
    readonly switchesOn: Buffer;
  };
  /** Not for one that is watched: its Watch closes it. */
  closeFd(fd: number): void;
  /**
   * The kernel writes no core dump of this process, not even to a program that takes them, and nobody without CAP_SYS_PTRACE reads
   * its memory, not even another process of the same user. Its files under /proc become root's. Not to be undone.
   */
  forbidDumps(): void;
  /**
   * A datagram to the service manager's socket (sd_notify(3)): lines of NAME=value, 1,023 characters at most. `path`: absolute, or
   * `@` and an abstract name. True: sent; false: its buffer is full, and it is dropped. Does not wait.
   */
  notify(path: string, text: string): boolean;
}

/** Keeps the process alive until it is paused or closed. After close() its methods do nothing. */
export interface Watch {
  pause(): void;
  resume(): void;
  /** Closes the descriptor too. No callback comes after it. */
  close(): void;
}

// A record, so that a function added to the interface cannot be forgotten here.
const FUNCTIONS: Readonly<Record<keyof Native, true>> = {
  openTun: true,
  openPacket: true,
  setFilter: true,
  packetDrops: true,
  watch: true,
  write: true,
  listenTransparent: true,
  openInput: true,
  inputIdentity: true,
  inputState: true,
  closeFd: true,
  forbidDumps: true,
  notify: true,
};

/** Where scripts/setup.sh builds it. */
const BUILT = fileURLToPath(new URL("../../build/niac-net.node", import.meta.url));

/** The addon, or for the reader why it is not to be had: without it niac can only be a gateway on loopback. */
export function loadNative(file = BUILT): { readonly native: Native } | { readonly problem: string } {
  if (process.platform !== "linux") {
    return { problem: `isolation needs Linux, and this is ${process.platform}` };
  }
  if (!existsSync(file)) {
    return {
      problem: `the network addon is not built: ${file} is missing (scripts/setup.sh builds it, with gcc)`,
    };
  }
  // Not require(): that would run a file of another kind as JavaScript.
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, file);
  } catch (error) {
    return { problem: `the network addon cannot be loaded: ${messageOf(error)}` };
  }
  if (!isNative(module.exports)) {
    return {
      problem: `the network addon is another version's: ${file} lacks a function (scripts/setup.sh builds it anew)`,
    };
  }
  return { native: module.exports };
}

function isNative(loaded: unknown): loaded is Native {
  if (typeof loaded !== "object" || loaded === null) return false;
  const functions = new Map<string, unknown>(Object.entries(loaded));
  return Object.keys(FUNCTIONS).every((name) => typeof functions.get(name) === "function");
}
