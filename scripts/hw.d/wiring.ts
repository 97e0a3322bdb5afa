/** The wiring picture (hw/<board>/wiring.svg), from pins.yaml: the header in the middle, and at each pin its circuit beyond the terminal. Pure. */
import type { Board } from "./board.ts";
import { HEADER } from "./header.ts";
import { box, element, line, picture, text } from "./svg.ts";
import { ohms } from "./table.ts";

const ROW = 58;
const TOP = 96;
const WIDTH = 1560;
const MIDDLE = WIDTH / 2;
const ROWS = 20;

const STYLE = `
text{font:13px sans-serif;fill:#222}
.title{font-size:20px;font-weight:bold}
.small{font-size:11px;fill:#555}
.value{font-size:11px}
.pin{font-size:11px;fill:#fff}
.wire{fill:none;stroke:#333;stroke-width:1.5}
.part{fill:#fff;stroke:#333;stroke-width:1.2}
.terminal{fill:#fff;stroke:#333;stroke-width:2.4}
.name{font-size:11px;font-weight:bold}
`;
const LAMP = { green: "#2e9e44", blue: "#2f6fd6", amber: "#e09a00", red: "#cc2f2f" } as const;
const NETS: Readonly<Record<string, string>> = { "0": "#444", "3.3": "#d9822b", "5": "#b3261e" };
const BUS = "#e3ecf7";

/** One pin's row, drawn outwards from the header: `at` turns a distance from the middle into x, on the left side too. */
interface Row {
  readonly y: number;
  readonly at: (distance: number) => number;
  readonly left: boolean;
}

export function wiringPicture(board: Board): string {
  const height = TOP + ROWS * ROW + 30;
  const elements = [
    box(0, 0, WIDTH, height, { fill: "#fff" }),
    text(24, 34, `${board.what}: wiring`, { class: "title" }),
    text(
      24,
      56,
      "Header seen from above, pin 1 at the end of the square pad. Parts stand at their pin's row; 0 V of all rows is one net. Rings are the carrier's terminals. Q: BSS138, its source at 0 V.",
      {
        class: "small",
      },
    ),
    text(
      24,
      72,
      "Not drawn: the ESD arrays at X3 and X5, and all that has no pin (CARRIER.md). Made from pins.yaml by scripts/hw make.",
      { class: "small" },
    ),
    box(MIDDLE - 40, TOP - 6, 80, ROWS * ROW + 4, { fill: "#1d1d1d", rx: 6 }),
  ];
  for (const [pin, there] of HEADER.entries()) {
    if (there === undefined) continue;
    const left = pin % 2 === 1;
    const row: Row = {
      y: TOP + Math.floor((pin - 1) / 2) * ROW + 18,
      left,
      at: (distance) => (left ? MIDDLE - distance : MIDDLE + distance),
    };
    const net = "net" in there ? String(there.net) : undefined;
    elements.push(
      element("circle", {
        cx: row.at(20),
        cy: row.y,
        r: 13,
        fill: net === undefined ? "#7a7a2c" : (NETS[net] ?? "#444"),
      }),
      text(row.at(20), row.y + 4, String(pin), { class: "pin", "text-anchor": "middle" }),
      outward(row, 50, net === undefined && "gpio" in there ? `GPIO${there.gpio}` : `${net} V`, {}),
      ...circuit(board, pin, row),
    );
  }
  const size = { width: WIDTH, height };
  return picture(size, { width: `${WIDTH}`, height: `${height}` }, STYLE, elements);
}

function circuit(board: Board, pin: number, row: Row): string[] {
  const lamp = board.lamps.find((one) => one.wired?.pin === pin);
  if (lamp?.wired !== undefined) return lampCircuit(lamp.name, lamp.colour, lamp.wired, row);
  const contact = board.contacts.find((one) => one.wired?.pin === pin);
  if (contact?.wired !== undefined) return contactCircuit(contact.what, contact.wired, row);
  const bus = board.buses.find((one) => one.wired.pin === pin);
  if (bus !== undefined) {
    const arrow = bus.direction === "both" ? "↔" : (bus.direction === "out") === row.left ? "←" : "→";
    const { pullDown } = bus.wired;
    return [
      wire(row, 110, 300),
      ...(pullDown === undefined ? [] : stub(row, 222, `${ohms(pullDown)} to 0 V`)),
      box(Math.min(row.at(300), row.at(480)), row.y - 14, 180, 28, {
        class: "part",
        style: `fill:${BUS}`,
        rx: 4,
      }),
      text(row.at(390), row.y + 5, `${arrow} ${bus.wired.to}`, { "text-anchor": "middle" }),
      outward(row, 490, bus.part, {}),
      ...(bus.wired.note === undefined ? [] : [outward(row, 300, bus.wired.note, { class: "small" }, 29)]),
    ];
  }
  const supply = board.supply.find((one) => one.pin === pin);
  return supply === undefined ? [] : [wire(row, 110, 300), outward(row, 306, supply.to, {})];
}

function lampCircuit(
  name: string,
  colour: keyof typeof LAMP,
  wired: NonNullable<Board["lamps"][number]["wired"]>,
  row: Row,
): string[] {
  return [
    wire(row, 110, 136),
    ...part(row, 136, 56, ohms(wired.gate)),
    wire(row, 192, 288),
    ...stub(row, 222, `${ohms(wired.pullDown)} to 0 V`),
    element("circle", { cx: row.at(304), cy: row.y, r: 16, class: "part" }),
    text(row.at(304), row.y + 4, "Q", { class: "value", "text-anchor": "middle" }),
    wire(row, 320, 340),
    ...part(row, 340, 56, ohms(wired.resistor)),
    ...terminal(row, 396, wired.to),
    wire(row, 432, 490),
    // Current comes from +5 V at the far end: the diode points to the transistor.
    element("polygon", { points: triangle(row, 450), fill: LAMP[colour], stroke: "#333" }),
    line(
      [
        [row.at(450), row.y - 10],
        [row.at(450), row.y + 10],
      ],
      { class: "wire" },
    ),
    ...terminal(row, 490, wired.far),
    outward(row, 532, "+5 V", {}),
    outward(row, 532, `lamp ${name} (${colour})`, { class: "small" }, 20),
  ];
}

function contactCircuit(
  what: string,
  wired: NonNullable<Board["contacts"][number]["wired"]>,
  row: Row,
): string[] {
  const open = wired.contact !== "closed-while-shut";
  const [thing = "", one = ""] = what.split(", ");
  return [
    wire(row, 110, 340),
    ...stub(row, 170, `${ohms(wired.pullUp)} to 3.3 V`),
    ...stub(row, 286, `${wired.filter} nF to 0 V`),
    ...part(row, 340, 56, ohms(wired.series)),
    ...terminal(row, 396, wired.to),
    wire(row, 432, 440),
    element("circle", { cx: row.at(443), cy: row.y, r: 3, class: "part" }),
    line(
      [
        [row.at(445), row.y - (open ? 2 : 0)],
        [row.at(478), row.y - (open ? 15 : 4)],
      ],
      { class: "wire" },
    ),
    element("circle", { cx: row.at(479), cy: row.y, r: 3, class: "part" }),
    wire(row, 482, 490),
    ...terminal(row, 490, wired.far),
    outward(row, 532, "0 V", {}),
    outward(row, 532, `${thing} (1: ${one}); drawn ${open ? "open" : "shut"}`, { class: "small" }, 20),
  ];
}

/** A ring with its name, and the wire through it; it takes 36. */
function terminal(row: Row, distance: number, name: string): string[] {
  const x = row.at(distance + 18);
  return [
    wire(row, distance, distance + 12),
    element("circle", { cx: x, cy: row.y, r: 6, class: "terminal" }),
    wire(row, distance + 24, distance + 36),
    text(x, row.y - 11, name, { class: "name", "text-anchor": "middle" }),
  ];
}

function wire(row: Row, from: number, to: number): string {
  return line(
    [
      [row.at(from), row.y],
      [row.at(to), row.y],
    ],
    { class: "wire" },
  );
}

/** Text that begins at a distance and reads outwards from the header on either side. */
function outward(
  row: Row,
  distance: number,
  content: string,
  attributes: Readonly<Record<string, string>>,
  below = 4,
): string {
  return text(row.at(distance), row.y + below, content, {
    "text-anchor": row.left ? "end" : "start",
    ...attributes,
  });
}

function part(row: Row, distance: number, width: number, value: string): string[] {
  const x = Math.min(row.at(distance), row.at(distance + width));
  return [
    box(x, row.y - 9, width, 18, { class: "part" }),
    text(x + width / 2, row.y + 4, value, { class: "value", "text-anchor": "middle" }),
  ];
}

/** A part from the line to a supply, drawn below the line. */
function stub(row: Row, distance: number, value: string): string[] {
  const width = 104;
  const x = row.at(distance);
  return [
    element("circle", { cx: x, cy: row.y, r: 2.5, fill: "#333" }),
    line(
      [
        [x, row.y],
        [x, row.y + 16],
      ],
      { class: "wire" },
    ),
    box(x - width / 2, row.y + 16, width, 17, { class: "part" }),
    text(x, row.y + 28, value, { class: "value", "text-anchor": "middle" }),
  ];
}

function triangle(row: Row, distance: number): string {
  const [tip, back] = [row.at(distance), row.at(distance + 18)];
  return `${tip},${row.y} ${back},${row.y - 10} ${back},${row.y + 10}`;
}
