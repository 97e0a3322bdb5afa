/** The terminals of the carrier: what a pin table has at them, beside what CARRIER.md says to whoever connects the wires. Pure. */
import { TERMINAL, type Board } from "./board.ts";

/** What stands at a terminal, in CARRIER.md's words. */
interface At {
  readonly terminal: string;
  readonly carries: string;
}

/** Strips and jumpers that only the panel is at: whatever else CARRIER.md has there is on no pin. */
const PANEL_STRIPS = new Set(["X2", "X3", "JP1"]);

export function terminalFaults(board: Board, carrier: string): string[] {
  const said = new Map(rowsOf(carrier).map(({ terminal, carries }) => [terminal, carries]));
  const faults: string[] = [];
  const here = new Map<string, string>();
  for (const { terminal, carries } of terminalsOf(board)) {
    const other = here.get(terminal) ?? carries;
    here.set(terminal, carries);
    const says = said.get(terminal);
    if (other !== carries) faults.push(`${terminal} is used twice: ${other}, and ${carries}`);
    else if (says === undefined) faults.push(`${terminal} (${carries}) is not in CARRIER.md`);
    else if (says !== carries) faults.push(`${terminal} is ${carries}, and by CARRIER.md ${says}`);
  }
  for (const [terminal, carries] of said)
    if (PANEL_STRIPS.has(terminal.replace(/:.*/, "")) && !here.has(terminal))
      faults.push(`${terminal} (${carries} by CARRIER.md) is wired to no pin`);
  return [...new Set(faults)];
}

function terminalsOf(board: Board): At[] {
  return [
    ...board.lamps.flatMap(({ name, wired }) =>
      wired === undefined
        ? []
        : [
            { terminal: wired.to, carries: `lamp ${name}, cathode` },
            { terminal: wired.far, carries: "+5 V" },
          ],
    ),
    ...board.contacts.flatMap(({ what, wired }) =>
      wired === undefined
        ? []
        : [
            { terminal: wired.to, carries: `${thingOf(what)}, pin` },
            { terminal: wired.far, carries: `${thingOf(what)}, 0 V` },
          ],
    ),
    ...board.buses.map(({ name, signal, wired }) => ({ terminal: wired.to, carries: `${name} ${signal}` })),
    ...board.supply.map(({ to, net }) => ({ terminal: to, carries: `${net} V` })),
  ].filter(({ terminal }) => TERMINAL.test(terminal));
}

/** `key switch, on`: the thing. */
function thingOf(what: string): string {
  return what.replace(/,.*/, "");
}

/** Rows of tables that begin with a terminal, and what stands beside it. */
function rowsOf(page: string): At[] {
  return page.split("\n").flatMap((row) => {
    const [, terminal = "", carries = ""] = row.split("|").map((cell) => cell.trim());
    return TERMINAL.test(terminal) ? [{ terminal, carries }] : [];
  });
}
