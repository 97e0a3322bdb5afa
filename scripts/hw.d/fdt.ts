/**
 * Reads a flattened device tree (Devicetree Specification 0.4, chapter 5). Strict; pure.
 *
 *   0 magic d00dfeed | 4 total size | 8 offset of structure | 12 of strings | 16 of reservations | 20 version | 24 last compatible |
 *   28 boot CPU | 32 size of strings | 36 size of structure
 *   structure: 1 name\0 (node begins) | 3 length, name offset, value (property) | 4 (nothing) | 2 (node ends) | 9 (end); each to 4 bytes
 */

export interface TreeNode {
  readonly name: string;
  /** From the root: `/soc/gpio@7e200000`; the root's is "". */
  readonly path: string;
  readonly parent: TreeNode | null;
  readonly properties: ReadonlyMap<string, Buffer>;
  readonly children: readonly TreeNode[];
}

const MAGIC = 0xd00dfeed;
const HEADER_BYTES = 40;
const VERSION = 17;
const [BEGIN_NODE, END_NODE, PROPERTY, NOTHING, END] = [1, 2, 3, 4, 9];
const MOST_DEPTH = 32;

/** The root. Throws an Error or RangeError where the bytes are not a whole tree. */
export function readTree(bytes: Buffer): TreeNode {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(0) !== MAGIC)
    throw new Error("this is no flattened device tree");
  const [total, structAt, stringsAt, version] = [4, 8, 12, 20].map((at) => bytes.readUInt32BE(at));
  const [stringsSize, structSize] = [32, 36].map((at) => bytes.readUInt32BE(at));
  if (total !== bytes.length || version !== VERSION)
    throw new Error(`a tree of ${total} bytes, version ${version}, in ${bytes.length} bytes`);
  const strings = slice(bytes, stringsAt ?? 0, stringsSize ?? 0);
  const reader = new Reader(slice(bytes, structAt ?? 0, structSize ?? 0), strings);
  return reader.root();
}

function slice(bytes: Buffer, at: number, length: number): Buffer {
  if (at + length > bytes.length) throw new RangeError(`${at} + ${length} is beyond ${bytes.length} bytes`);
  return bytes.subarray(at, at + length);
}

class Reader {
  readonly #bytes: Buffer;
  readonly #strings: Buffer;
  #at = 0;

  constructor(bytes: Buffer, strings: Buffer) {
    this.#bytes = bytes;
    this.#strings = strings;
  }

  root(): TreeNode {
    if (this.#token() !== BEGIN_NODE) throw new Error("the tree has no root");
    const root = this.#node(null, 0);
    if (this.#token() !== END) throw new Error("the tree goes on after its root");
    return root;
  }

  #node(parent: TreeNode | null, depth: number): TreeNode {
    if (depth > MOST_DEPTH) throw new Error(`the tree is deeper than ${MOST_DEPTH}`);
    const name = textAt(this.#bytes, this.#at);
    this.#skip(name.length + 1);
    const properties = new Map<string, Buffer>();
    const children: TreeNode[] = [];
    const path = parent === null ? "" : `${parent.path}/${name}`;
    const node: TreeNode = { name, path, parent, properties, children };
    for (;;) {
      const token = this.#token();
      if (token === END_NODE) return node;
      if (token === BEGIN_NODE) children.push(this.#node(node, depth + 1));
      else if (token === PROPERTY) {
        const [length, nameAt] = [this.#word(), this.#word()];
        const value = slice(this.#bytes, this.#at, length);
        this.#skip(length);
        properties.set(textAt(this.#strings, nameAt), value);
      } else throw new Error(`token ${token} in ${path || "/"}`);
    }
  }

  #token(): number {
    let token = this.#word();
    while (token === NOTHING) token = this.#word();
    return token;
  }

  #word(): number {
    const word = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return word;
  }

  #skip(bytes: number): void {
    this.#at += (bytes + 3) & ~3;
  }
}

function textAt(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at);
  if (end === -1) throw new RangeError(`no text at ${at}`);
  return bytes.toString("latin1", at, end);
}

/** A node and all below it. */
export function* everyNode(node: TreeNode): Generator<TreeNode> {
  yield node;
  for (const child of node.children) yield* everyNode(child);
}

/** `path` from the root; undefined: there is none. */
export function nodeAt(root: TreeNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const name of path.split("/").slice(1)) node = node?.children.find((one) => one.name === name);
  return node;
}

export function cells(node: TreeNode, property: string): number[] {
  const value = node.properties.get(property);
  if (value === undefined) return [];
  if (value.length % 4 !== 0) throw new Error(`${node.path} ${property} is no list of numbers`);
  return Array.from({ length: value.length / 4 }, (_, index) => value.readUInt32BE(index * 4));
}

export function texts(node: TreeNode, property: string): string[] {
  const value = node.properties.get(property);
  if (value === undefined) return [];
  if (value.at(-1) !== 0) throw new Error(`${node.path} ${property} is no text`);
  return value.toString("latin1", 0, value.length - 1).split("\0");
}

/** It and all it stands in are switched on. */
export function isEnabled(node: TreeNode): boolean {
  const [status = "okay"] = texts(node, "status");
  return (status === "okay" || status === "ok") && (node.parent === null || isEnabled(node.parent));
}
