/** A change between two site documents, and how it is told. */

/** Whether more, less, or the same may be done than before; null: it cannot be told simply, look at the fields. */
export type Access = "wider" | "narrower" | "same" | null;

export interface FieldChange {
  readonly field: string;
  /** In words. */
  readonly before: string;
  readonly after: string;
}

export interface Change {
  /** `group`: whether its claim on a certificate is taken. `source`: a client without a certificate. A service's name is `machine/service`. */
  readonly kind:
    | "site"
    | "network"
    | "machine"
    | "service"
    | "person"
    | "group"
    | "grant"
    | "forbid"
    | "destination"
    | "source"
    | "posture"
    | "authority"
    | "sign-in"
    | "posture signer";
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  /** Of `changed`; of an added source `until`, which is what matters of it. */
  readonly fields: readonly FieldChange[];
  readonly access: Access;
}

/** What a thing says, each field in words: equal things have equal words, different things different ones. */
export type Fields = Readonly<Record<string, string>>;

export function fieldChanges(before: Fields, after: Fields): readonly FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((field) => {
    const [old, now] = [before[field] ?? "-", after[field] ?? "-"];
    return old === now ? [] : [{ field, before: old, after: now }];
  });
}

export function keyed<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

/** One kind of thing, compared by name. */
export function compare<T>(
  kind: Change["kind"],
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  fieldsOf: (item: T) => Fields,
  accessOf: (before: T | null, after: T | null, name: string) => Access,
): readonly Change[] {
  const changes: Change[] = [];
  for (const [name, item] of after) {
    const old = before.get(name);
    if (old === undefined) {
      changes.push({ kind, name, change: "added", fields: [], access: accessOf(null, item, name) });
      continue;
    }
    const fields = fieldChanges(fieldsOf(old), fieldsOf(item));
    if (fields.length > 0)
      changes.push({ kind, name, change: "changed", fields, access: accessOf(old, item, name) });
  }
  for (const [name, item] of before) {
    if (!after.has(name))
      changes.push({ kind, name, change: "removed", fields: [], access: accessOf(item, null, name) });
  }
  return changes;
}

const ACCESS_WORDS = {
  wider: ", access becomes wider",
  narrower: ", access becomes narrower",
  same: ", access stays the same",
};

/** Longest text of a field in a line. */
const CLIP = 120;

function clipped(text: string): string {
  return text.length > CLIP ? `${text.slice(0, CLIP)}...` : text;
}

/** One line, e.g. `grant press-writers changed, access becomes wider: write holdingRegisters 10-11 -> holdingRegisters 10-20`. */
export function formatChange({ kind, name, change, fields, access }: Change): string {
  const words = access === null ? "" : ACCESS_WORDS[access];
  const [first] = fields;
  if (kind === "source" && change === "added" && first !== undefined) {
    return `source ${name} may connect without a certificate until ${first.after}${words}`;
  }
  const subject =
    kind === "group"
      ? `certificate's claim of group ${name}`
      : kind === "site" || kind === "network" || kind === "sign-in"
        ? kind
        : `${kind} ${name}`;
  const details = fields
    .map(({ field, before, after }) => `${field} ${clipped(before)} -> ${clipped(after)}`)
    .join(", ");
  return `${subject} ${change}${words}${details === "" ? "" : `: ${details}`}`;
}
