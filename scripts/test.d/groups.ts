/** Which unit test files share a process: those of a folder, but those that set what a process shares (test/unit/alone.ts). */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export interface Group {
  /** From the folder: `unit-site`. */
  readonly name: string;
  readonly files: readonly string[];
}

/** Files of one process at most: where one hangs, or is out of memory, few are with it. */
const MOST = 24;

/**
 * Groups by folder, the dearest first, so that no process is left alone at the end; and the files that run alone. `cost`: seconds that a file
 * took last time, or 1.
 */
export function groupsOf(
  files: readonly string[],
  alone: ReadonlySet<string>,
  cost: (file: string) => number,
): { readonly groups: readonly Group[]; readonly alone: readonly string[] } {
  const folders = Map.groupBy(
    files.filter((file) => !alone.has(file)),
    (file) => dirname(file),
  );
  const groups = [...folders].flatMap(([folder, inside]) => {
    const name = folder.replace(/^test\//, "").replaceAll("/", "-");
    const parts = Math.ceil(inside.length / MOST);
    const size = Math.ceil(inside.length / parts);
    return Array.from({ length: parts }, (_, part) => ({
      name: parts === 1 ? name : `${name}-${part + 1}`,
      files: inside.slice(part * size, (part + 1) * size),
    }));
  });
  const whole = ({ files: inside }: Group): number => inside.reduce((sum, file) => sum + cost(file), 0);
  return {
    groups: groups.toSorted((a, b) => whole(b) - whole(a)),
    alone: files.filter((file) => alone.has(file)),
  };
}

/** Writes each group's entry file into `folder`, and nothing else is in it. Returns their paths from `root`. */
export function writeEntries(root: string, folder: string, groups: readonly Group[]): string[] {
  const place = join(root, folder);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const support = relative(place, join(root, "test/support/runner/group.ts"));
  return groups.map(({ name, files }) => {
    const path = join(folder, `${name}.test.ts`);
    const text = `import { group } from ${JSON.stringify(support)};\nawait group(${JSON.stringify(files, null, 2)});\n`;
    writeFileSync(join(root, path), text);
    return path;
  });
}
