/** DNS queries written by the standard's layout, apart from the code under test. */
export interface QueryParts {
  readonly id?: number;
  readonly flags?: number;
  readonly counts?: readonly [number, number, number, number];
  /** Labels, each as bytes or text. */
  readonly labels?: ReadonlyArray<string | Uint8Array>;
  readonly type?: number;
  readonly class?: number;
  /** What comes after the question. */
  readonly rest?: Uint8Array;
}

/** RFC 6891: root, type 41, 1,232 bytes, version, no flags, options. */
export function opt(version = 0, options: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 41, 0x04, 0xd0, 0, version, 0, 0, 0, options.length]), options]);
}

export function query(parts: QueryParts = {}): Buffer {
  const { id = 0x1234, flags = 0x0100, labels = ["www", "example"], type = 1, rest } = parts;
  const counts = parts.counts ?? [1, 0, 0, rest ? 1 : 0];
  const head = Buffer.alloc(12);
  [id, flags, ...counts].forEach((word, i) => head.writeUInt16BE(word, i * 2));
  const name = labels.map((label) => {
    const bytes = Buffer.from(label);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const tail = Buffer.from([0, type >> 8, type & 0xff, 0, parts.class ?? 1]);
  return Buffer.concat([head, ...name, tail, rest ?? Buffer.alloc(0)]);
}
