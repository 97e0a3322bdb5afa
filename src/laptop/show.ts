import type { Forward } from "./forward.ts";
import type { Screen } from "./surroundings.ts";

/** Rows under a header, columns as wide as their widest cell. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** `512 B`, `1.5 kB`, `3.2 MB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

/** What goes through each local port, in lines. */
export function trafficTable(forwards: readonly Pick<Forward, "service" | "traffic">[]): string[] {
  const rows = forwards.map(({ service, traffic }) => [
    `${service.machine}/${service.service}`,
    `${traffic.open} of ${traffic.total}`,
    bytes(traffic.sent),
    bytes(traffic.received),
    traffic.lastError ?? "",
  ]);
  return table(["SERVICE", "OPEN", "SENT", "RECEIVED", "LAST ERROR"], rows);
}

/** Lines that are drawn over themselves at the bottom of a terminal. */
export class Live {
  readonly #screen: Screen;
  #drawn: readonly string[] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  draw(lines: readonly string[]): void {
    const { columns, rows } = this.#screen.size();
    // What is wider or higher than the window would break the count of lines to go back.
    const fitting = lines
      .slice(0, Math.max(1, rows - 1))
      .map((line) => line.slice(0, Math.max(1, columns - 1)));
    if (fitting.length === this.#drawn.length && fitting.every((line, at) => line === this.#drawn[at]))
      return;
    const back = this.#drawn.length === 0 ? "" : `\u001b[${this.#drawn.length}F\u001b[J`;
    this.#screen.write(`${back}${fitting.join("\n")}\n`);
    this.#drawn = fitting;
  }
}
