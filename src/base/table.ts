import { columns, fit, printable } from "./printable.ts";

/** Rows under a header, columns as wide as their widest cell. Cells are made printable: names come from outside. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [header, ...rows.map((row) => row.map(printable))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => columns(row[column] ?? ""))));
  return cells.map((row) =>
    widths
      .map((width, column) => fit(row[column] ?? "", width))
      .join("  ")
      .trimEnd(),
  );
}

/** `512 B`, `1.5 kB`, `3.2 MB`. */
export function byteText(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

/** `3 s`, `12 min`, `4 h`, `2 d`; milliseconds in. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
