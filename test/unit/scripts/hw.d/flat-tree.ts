/** Makes flattened device trees for the tests of what reads them. */

export interface Source {
  readonly [name: string]: Source | Buffer;
}

export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

export function strings(...values: readonly string[]): Buffer {
  return Buffer.from(values.map((value) => `${value}\0`).join(""), "latin1");
}

const EMPTY_RESERVATION = Buffer.alloc(16);
const HEADER_BYTES = 40;

export function flatTree(root: Source): Buffer {
  const names: string[] = [];
  const structure = Buffer.concat([...node("", root, names), words(9)]);
  const table = strings(...names);
  const structAt = HEADER_BYTES + EMPTY_RESERVATION.length;
  const stringsAt = structAt + structure.length;
  const total = stringsAt + table.length;
  return Buffer.concat([
    words(0xd00dfeed, total, structAt, stringsAt, HEADER_BYTES, 17, 16, 0, table.length, structure.length),
    EMPTY_RESERVATION,
    structure,
    table,
  ]);
}

function node(name: string, source: Source, names: string[]): Buffer[] {
  const parts = [words(1), padded(strings(name))];
  const entries = Object.entries(source);
  for (const [key, value] of entries) {
    if (!Buffer.isBuffer(value)) continue;
    const at = names.reduce((sum, one) => sum + one.length + 1, 0);
    names.push(key);
    parts.push(words(3, value.length, at), padded(value));
  }
  for (const [key, value] of entries) if (!Buffer.isBuffer(value)) parts.push(...node(key, value, names));
  return [...parts, words(2)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
