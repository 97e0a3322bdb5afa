/** Time by test file: what the processes of a run wrote down (test/support/runner/times.ts), and its table. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const tookSchema = z.object({ wall: z.number(), own: z.number(), children: z.number() });
const writtenSchema = z.object({
  file: z.string(),
  whole: tookSchema,
  shares: z.record(z.string(), tookSchema),
});
const rowSchema = tookSchema.extend({ file: z.string() });

/** Seconds: wall, processor time of its own process, and of the processes it started. */
export type Row = z.infer<typeof rowSchema>;

const DEAREST = 10;

/** Reads and removes what the processes of one run of ava left in the folder. */
export function collect(folder: string): Row[] {
  if (!existsSync(folder)) return [];
  const rows = readdirSync(folder).flatMap((name) => {
    const { file, whole, shares } = writtenSchema.parse(JSON.parse(readFileSync(join(folder, name), "utf8")));
    const own = Object.entries(shares).map(([each, took]) => ({ file: each, ...took }));
    if (own.length === 0) return [{ file, ...whole }];
    const rest = (part: "wall" | "own" | "children"): number =>
      Math.max(
        0,
        own.reduce((left, row) => left - row[part], whole[part]),
      );
    // What belongs to no file: the start of the process, and what the files share.
    return [...own, { file, wall: rest("wall"), own: rest("own"), children: rest("children") }];
  });
  rmSync(folder, { recursive: true });
  return rows;
}

/** Rows of one file, as where it was run twice, become one. */
export function merged(rows: readonly Row[]): Row[] {
  return [...Map.groupBy(rows, ({ file }) => file)].map(([file, same]) => {
    const sum = (part: "wall" | "own" | "children"): number => same.reduce((all, row) => all + row[part], 0);
    return { file, wall: sum("wall"), own: sum("own"), children: sum("children") };
  });
}

export function readRows(path: string): Row[] {
  if (!existsSync(path)) return [];
  const rows = z.array(rowSchema).safeParse(JSON.parse(readFileSync(path, "utf8")));
  return rows.data ?? [];
}

export function writeRows(folder: string, rows: readonly Row[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "times.json"), JSON.stringify(rows));
  writeFileSync(join(folder, "times.txt"), `${table(rows).join("\n")}\n`);
}

/** The dearest last, by processor time. `most`: rows; those before them are one line. */
export function table(rows: readonly Row[], most = rows.length): string[] {
  const cpu = (row: Row): number => row.own + row.children;
  const sorted = rows.toSorted((a, b) => cpu(a) - cpu(b));
  const left = sorted.slice(0, Math.max(0, sorted.length - most));
  const line = (name: string, row: Omit<Row, "file">): string =>
    [row.wall, row.own + row.children, row.own, row.children]
      .map((seconds) => seconds.toFixed(1).padStart(9))
      .join("") + `  ${name}`;
  const [others] = merged(left.map((row) => ({ ...row, file: "" })));
  return [
    ["wall", "CPU", "own", "children"].map((word) => word.padStart(9)).join("") + "  seconds by file",
    ...(others === undefined ? [] : [line(`${left.length} others`, others)]),
    ...sorted.slice(left.length).map((row) => line(row.file, row)),
  ];
}

export function dearest(rows: readonly Row[]): string[] {
  return table(rows, DEAREST);
}
