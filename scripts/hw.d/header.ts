/** The 40-pin header that Raspberry Pis have had since 2014: what each pin is. (Raspberry Pi documentation, "GPIO and the 40-pin header") */

export type Pin = { readonly gpio: number } | { readonly net: 0 | 3.3 | 5 };

/** Rows from the end with the square pad: odd pin, even pin. A number is a GPIO; text is a supply. */
const ROWS: readonly (readonly [number | string, number | string])[] = [
  ["3.3", "5"],
  [2, "5"],
  [3, "0"],
  [4, 14],
  ["0", 15],
  [17, 18],
  [27, "0"],
  [22, 23],
  ["3.3", 24],
  [10, "0"],
  [9, 25],
  [11, 8],
  ["0", 7],
  [0, 1],
  [5, "0"],
  [6, 12],
  [13, "0"],
  [19, 16],
  [26, 20],
  ["0", 21],
];

/** By pin number, from 1; undefined at 0. */
export const HEADER: readonly (Pin | undefined)[] = [undefined, ...ROWS.flat().map(pinOf)];

export const PINS = HEADER.length - 1;

/** GPIOs on the header; 0 and 1 belong to a plugged-on board's identification memory. */
export const HEADER_GPIOS = 28;
export const RESERVED_GPIOS: ReadonlySet<number> = new Set([0, 1]);

function pinOf(what: number | string): Pin {
  if (typeof what === "number") return { gpio: what };
  return { net: what === "0" ? 0 : what === "5" ? 5 : 3.3 };
}
