import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { BugError, printable } from "../base/index.ts";

/** Hexadecimal digits of the blocks that IEEE assigns: MA-S, MA-M, MA-L. The smallest block an address lies in is its maker's. */
const BLOCKS = [9, 7, 6] as const;
/** In the first octet (IEEE 802, 8.2.2): sent to a group; not assigned by IEEE. */
const GROUP = 0x01;
const LOCAL = 0x02;
/** Who a block stands with that is handed on in smaller ones. */
const REGISTRY = "IEEE Registration Authority";

/**
 * Makers of the network ports with these MAC addresses (six octets, hexadecimal, with colons), in words for a list: a name, or why there
 * is none. IEEE's list is read anew at each call and let go again: its 6 MB are for the one time somebody asks.
 */
export async function macVendors(macs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const list = await readList();
  return new Map(macs.map((mac) => [mac, vendorIn(list, mac)]));
}

/** `list`: block in upper-case hexadecimal to the assignment's text, of which the first line is the maker's name. */
export function vendorIn(list: Readonly<Record<string, unknown>>, mac: string): string {
  const digits = mac.replaceAll(":", "").toUpperCase();
  if (!/^[0-9A-F]{12}$/.test(digits)) return "not a MAC address";
  const first = Number.parseInt(digits.slice(0, 2), 16);
  if ((first & GROUP) !== 0) return "not a station's address (group)";
  if ((first & LOCAL) !== 0) return "no vendor (locally administered)";
  for (const length of BLOCKS) {
    const block = digits.slice(0, length);
    const text = Object.hasOwn(list, block) ? list[block] : undefined;
    if (typeof text !== "string") continue;
    const name = printable(text.split("\n", 1)[0] ?? "").replace(/[,\s]+$/, "");
    if (name !== "" && name !== REGISTRY) return name;
  }
  return "unknown vendor";
}

async function readList(): Promise<Readonly<Record<string, unknown>>> {
  const list: unknown = JSON.parse(await readFile(fileURLToPath(import.meta.resolve("oui-data")), "utf8"));
  if (!isRecord(list)) throw new BugError("vendors", "the list of MAC vendors is not a JSON object");
  return list;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
