/**
 * For the programs that native.test.ts runs in network namespaces of their own: `node PROGRAM SCENARIO` prints what came of it as
 * JSON. Frames are told from the kernel's own (IPv6 neighbours and the like) by their EtherType, which IEEE keeps for local
 * experiments.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { loadNative, type Native, type Watch } from "../../../src/native/index.ts";

export type Scenarios = Readonly<Record<string, () => Promise<unknown>>>;

/** Runs the one the command line names. */
export async function run(scenarios: Scenarios): Promise<void> {
  const scenario = scenarios[process.argv[2] ?? ""];
  if (!scenario) throw new Error(`no scenario ${process.argv[2]}`);
  console.log(JSON.stringify(await scenario()));
}

export const native = needed();

function needed(): Native {
  const loaded = loadNative();
  if ("problem" in loaded) throw new Error(loaded.problem);
  return loaded.native;
}

export const OURS = 0x88b5;
export const OTHERS = 0x88b6;
export const ALL = Buffer.alloc(0);

export function ip(...words: string[]): void {
  execFileSync("ip", words);
}

/** struct sock_filter, packed in this computer's byte order. */
function packed(...steps: Array<[code: number, jt: number, jf: number, k: number]>): Buffer {
  return Buffer.concat(
    steps.map(([code, jt, jf, k]) => {
      const step = new DataView(new ArrayBuffer(8));
      step.setUint16(0, code, true);
      step.setUint8(2, jt);
      step.setUint8(3, jf);
      step.setUint32(4, k, true);
      return Buffer.from(step.buffer);
    }),
  );
}

/** EtherType is OURS: the whole frame, else nothing. */
export const ONLY_OURS = packed([0x28, 0, 0, 12], [0x15, 0, 1, OURS], [0x06, 0, 0, 0xffff], [0x06, 0, 0, 0]);
export const NOTHING = packed([0x06, 0, 0, 0]);

/** A broadcast from a locally administered address; `tags`: each TPID and TCI. */
export function frame(
  type: number,
  text: string,
  tags: ReadonlyArray<[tpid: number, tci: number]> = [],
  length = 64,
): Buffer {
  const macs = Buffer.from("ffffffffffff02005e000001", "hex");
  const words = Buffer.from(Uint16Array.from([...tags.flat(), type]).buffer).swap16();
  const payload = Buffer.alloc(length);
  payload.write(text);
  return Buffer.concat([macs, words, payload]);
}

/** Two ends of a cable: what is written to `out` arrives at niac-a. */
export function cable(mtu = 1_500): { out: number } {
  ip("link", "add", "niac-a", "mtu", `${mtu}`, "type", "veth", "peer", "name", "niac-b", "mtu", `${mtu}`);
  ip("link", "set", "niac-a", "up");
  ip("link", "set", "niac-b", "up");
  return { out: native.openPacket("niac-b", NOTHING) };
}

/** Watches `fd`; our frames in hexadecimal, and the codes of errors. */
export function listen(fd: number): { watch: Watch; heard: string[]; errors: string[] } {
  const heard: string[] = [];
  const errors: string[] = [];
  const watch = native.watch(
    fd,
    64,
    (packets) => heard.push(...packets.map((packet) => packet.toString("hex"))),
    (error) => errors.push(codeOf(error)),
  );
  return { watch, heard, errors };
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

export function thrownBy(call: () => unknown): string {
  try {
    call();
    return "nothing";
  } catch (error) {
    return codeOf(error);
  }
}

export function openFds(): number {
  return readdirSync("/proc/self/fd").length;
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}
