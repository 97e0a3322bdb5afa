/** scripts/hw: what is made from the boards' pin tables, their overlays, and labels. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { messageOf, NiacError, UsageError } from "../../src/base/index.ts";
import { BOARDS, hasHeader, modelOf, readBoard, type Board } from "./board.ts";
import { faultsOf } from "./checks.ts";
import { labelPicture, parseClaim, parseSerial } from "./label.ts";
import { pagesOf } from "./pages.ts";
import { terminalFaults } from "./terminals.ts";
import { compileOverlay } from "./trees.ts";

const HELP = `usage: scripts/hw make                 make PINS.md, wiring.svg and panel.dtsi of every board from its pins.yaml, after checking it
       scripts/hw check                say what is wrong with a pins.yaml, or not as \`make\` would leave it
       scripts/hw overlay --board <board> --out <file>
                                       compile the board's overlay for its loader
       scripts/hw label --board <board> --claim-file <file> --out <file> [--model <model>] [--serial <number>]
                                       a label (SVG) for a box; the claim is what \`niac claim show --json\` printed, "-": standard input;
                                       the model where pins.yaml has more than one: pi4 or cm4

Boards: ${BOARDS.join(", ")}.
`;
const root = fileURLToPath(new URL("../../", import.meta.url));
const hw = join(root, "hw");
const say = (text: string): void => void process.stderr.write(text);

try {
  process.exitCode = await command(process.argv.slice(2));
} catch (error) {
  say(`scripts/hw: ${messageOf(error)}\n`);
  if (error instanceof NiacError && error.advice !== undefined) say(`${error.advice}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function command([what = "", ...rest]: readonly string[]): Promise<number> {
  switch (what) {
    case "make":
      return makeOrCheck(rest, (path, content) => {
        writeFileSync(path, content);
        return null;
      });
    case "check":
      return makeOrCheck(rest, (path, content) =>
        existsSync(path) && readFileSync(path, "utf8") === content
          ? null
          : `${path} is not what pins.yaml says: scripts/hw make`,
      );
    case "overlay": {
      const given = options(rest, ["board", "out"]);
      const board = boardOf(given);
      const out = must(given, "out");
      mkdirSync(dirname(out), { recursive: true });
      await compileOverlay(join(hw, board.board, board.overlay), out);
      return 0;
    }
    case "label":
      return label(rest);
    case "-h":
    case "--help":
      process.stdout.write(HELP);
      return 0;
    default:
      throw new UsageError("hw-command", what === "" ? "say what to do." : `there is no ${what}.`, HELP);
  }
}

function boardOf(given: ReadonlyMap<string, string>): Board {
  const name = must(given, "board");
  if (!BOARDS.some((one) => one === name))
    throw new UsageError("hw-board", `there is no board ${name}.`, `It is one of ${BOARDS.join(", ")}.`);
  return readBoard(hw, name);
}

function makeOrCheck(
  rest: readonly string[],
  each: (path: string, content: string) => string | null,
): number {
  options(rest, []);
  const carrier = readFileSync(join(hw, "CARRIER.md"), "utf8");
  let wrong = 0;
  for (const name of BOARDS) {
    const board = readBoard(hw, name);
    const faults = [...faultsOf(board), ...(hasHeader(board) ? terminalFaults(board, carrier) : [])];
    // Nothing is drawn from a table that would be built wrong.
    const problems =
      faults.length > 0
        ? faults
        : Object.entries(pagesOf(board)).flatMap(
            ([file, content]) => each(join(hw, name, file), content) ?? [],
          );
    for (const problem of problems) say(`${name}: ${problem}\n`);
    wrong += problems.length;
  }
  return wrong === 0 ? 0 : 1;
}

async function label(rest: readonly string[]): Promise<number> {
  const given = options(rest, ["board", "claim-file", "out", "model", "serial"]);
  const [file, out] = [must(given, "claim-file"), must(given, "out")];
  const board = boardOf(given);
  const claim = parseClaim(file === "-" ? await readAll(process.stdin) : readFileSync(file, "utf8"));
  const svg = labelPicture({
    claim,
    serial: parseSerial(given.get("serial")),
    model: modelOf(board, given.get("model")),
  });
  // There is a secret on it: for whoever prints it, and nobody else.
  writeFileSync(out, svg, { mode: 0o600, flag: "wx" });
  return 0;
}

/** Options that each take a text. Throws a UsageError for one that is not in `names`. */
function options(args: readonly string[], names: readonly string[]): ReadonlyMap<string, string> {
  const known = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  try {
    const { values } = parseArgs({ args: [...args], options: known });
    return new Map(
      Object.entries(values).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
    );
  } catch (error) {
    throw new UsageError("hw-options", messageOf(error), HELP);
  }
}

function must(given: ReadonlyMap<string, string>, name: string): string {
  const value = given.get(name);
  if (value === undefined) throw new UsageError("hw-options", `--${name} is missing.`, HELP);
  return value;
}
