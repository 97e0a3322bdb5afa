import { byteText, table } from "../base/index.ts";
import type { Forward } from "./forward.ts";
import type { Screen } from "./surroundings.ts";

/** What goes through each local port, in lines. */
export function trafficTable(forwards: readonly Pick<Forward, "service" | "traffic">[]): string[] {
  const rows = forwards.map(({ service, traffic }) => [
    `${service.machine}/${service.service}`,
    `${traffic.open} of ${traffic.total}`,
    byteText(traffic.sent),
    byteText(traffic.received),
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
