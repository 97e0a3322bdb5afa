/** All that is made from a board's pin table, by file name beside it. Pure. */
import { hasHeader, type Board } from "./board.ts";
import { panelSource } from "./panel.ts";
import { pinPage } from "./table.ts";
import { wiringPicture } from "./wiring.ts";

export function pagesOf(board: Board): Readonly<Record<string, string>> {
  return {
    "panel.dtsi": panelSource(board),
    "PINS.md": pinPage(board),
    ...(hasHeader(board) ? { "wiring.svg": wiringPicture(board) } : {}),
  };
}
