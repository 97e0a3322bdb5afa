import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { parseBoard, readBoard } from "../../../../scripts/hw.d/board.ts";
import { terminalFaults } from "../../../../scripts/hw.d/terminals.ts";
import { wiringPicture } from "../../../../scripts/hw.d/wiring.ts";

const HW = fileURLToPath(new URL("../../../../hw/", import.meta.url));
const CARRIER = readFileSync(join(HW, "CARRIER.md"), "utf8");
const TABLE = readFileSync(join(HW, "rpi4/pins.yaml"), "utf8");

function changed(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`${from} is not there`);
  return text.replace(from, to);
}

for (const name of ["rpi4", "rpi5"]) {
  test(`${name}: what is at a terminal is what CARRIER.md has there`, (t) => {
    t.deepEqual(terminalFaults(readBoard(HW, name), CARRIER), []);
  });
}

test("found: a contact connected the wrong way round, which would read as its unsafe state", (t) => {
  const board = parseBoard(changed(TABLE, 'to: "X3:1", far: "X3:2"', 'to: "X3:2", far: "X3:1"'));
  t.deepEqual(terminalFaults(board, CARRIER), [
    "X3:2 is key switch, pin, and by CARRIER.md key switch, 0 V",
    "X3:1 is key switch, 0 V, and by CARRIER.md key switch, pin",
  ]);
});

test("found: a lamp at another terminal, a terminal used twice, and one that nothing is at", (t) => {
  const board = parseBoard(changed(TABLE, 'to: "X2:2"', 'to: "X2:1"'));
  t.deepEqual(terminalFaults(board, CARRIER), [
    "X2:1 is used twice: lamp power, cathode, and lamp protected, cathode",
    "X2:2 (lamp protected, cathode by CARRIER.md) is wired to no pin",
  ]);
});

test("found: a terminal that CARRIER.md does not have, or has otherwise", (t) => {
  const board = readBoard(HW, "rpi4");
  t.deepEqual(terminalFaults(board, changed(CARRIER, "| X2:6 | +5 V |", "| X2:6 | 0 V |")), [
    "X2:6 is +5 V, and by CARRIER.md 0 V",
  ]);
  t.deepEqual(terminalFaults(board, changed(CARRIER, "| X5:2 | console TXD |", "")), [
    "X5:2 (console TXD) is not in CARRIER.md",
  ]);
});

/** What is drawn at a row of the picture, outwards from the header. */
function drawn(board: string, gpio: number): string[] {
  const svg = wiringPicture(readBoard(HW, board));
  const words = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<\/text>/g)].map(
    ([, x, y, text = ""]) => ({ x: Math.abs(Number(x) - 780), right: Number(x) > 780, y: Number(y), text }),
  );
  const at = words.find(({ text }) => text === `GPIO${gpio}`);
  if (at === undefined) throw new Error(`GPIO${gpio} is not drawn`);
  return words
    .filter(({ right, y, x }) => right === at.right && x > at.x && y >= at.y - 16 && y <= at.y + 3)
    .toSorted((a, b) => a.x - b.x)
    .map(({ text }) => text);
}

test("a picture has each terminal where one connects the wire: beyond the carrier's parts, and the far one at the other end", (t) => {
  for (const board of ["rpi4", "rpi5"]) {
    t.deepEqual(drawn(board, 22), ["100 Ω", "Q", "680 Ω", "X2:1", "X2:6", "+5 V"]);
    t.deepEqual(drawn(board, 16), ["1 kΩ", "X3:1", "X3:2", "0 V"]);
    t.deepEqual(drawn(board, 21), ["1 kΩ", "X3:5", "X3:6", "0 V"]);
    t.deepEqual(drawn(board, 26), ["1 kΩ", "JP1:1", "JP1:2", "0 V"]);
  }
});
