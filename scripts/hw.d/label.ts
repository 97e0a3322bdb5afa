/**
 * What is stuck on a box: a plate for outside, which names it and its ports, and a card for inside the cover, with the claim code. Whoever
 * has the code may take the box over, so it is not on the outside. Pure.
 */
import { z } from "zod";
import { UsageError } from "../../src/base/index.ts";
import { box, element, line, picture, text } from "./svg.ts";

const MOST_TEXT = 64;
const printable = z
  .string()
  .min(1)
  .max(MOST_TEXT)
  .regex(/^[\x20-\x7e]+$/, "is not plain text");

/** What `niac claim show --json` prints; what else it says is not for a label. */
const claimSchema = z.object({ origin: printable, claimCode: printable, fingerprint: printable });
export type Claim = z.infer<typeof claimSchema>;

export interface LabelOptions {
  readonly claim: Claim;
  /** The maker's serial number of the box; null: none is printed. */
  readonly serial: string | null;
  /** For the person who wires it: `Raspberry Pi 4 ...`. */
  readonly board: string;
}

/** Throws a UsageError that does not repeat the text: there is a secret in it. */
export function parseClaim(json: string): Claim {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new UsageError("claim-json", "The claim is no JSON.", ADVICE);
  }
  const read = claimSchema.safeParse(value);
  if (read.success) return read.data;
  const places = [...new Set(read.error.issues.map((issue) => issue.path.join(".") || "it"))];
  throw new UsageError(
    "claim-form",
    `The claim is not as it must be: ${places.join(", ")} is missing, longer than ${MOST_TEXT} characters, or no plain text.`,
    ADVICE,
  );
}

/** Throws a UsageError where it cannot be printed. */
export function parseSerial(serial: string | undefined): string | null {
  if (serial === undefined) return null;
  if (!/^[A-Za-z0-9.-]{1,24}$/.test(serial))
    throw new UsageError("label-serial", "A serial number has 1 to 24 letters, digits, dots and dashes.");
  return serial;
}

const ADVICE = "Take what `niac claim show --json` prints on the box.";

/** Millimetres. */
const PLATE = { width: 100, height: 50 };
const CARD = { width: 100, height: 32 };
const GAP = 8;
const TEXT_WIDTH = 92;

const STYLE = `
text{font-family:sans-serif;font-size:3px;fill:#000}
.name{font-size:6px;font-weight:bold}
.words{font-family:monospace;font-size:3.8px}
.code{font-family:monospace;font-size:5px;font-weight:bold}
.small{font-size:2.4px}
.edge{fill:#fff;stroke:#000;stroke-width:.3}
.cut{stroke:#000;stroke-width:.2;stroke-dasharray:1.5 1}
`;

export function labelPicture({ claim, serial, board }: LabelOptions): string {
  const view = { width: PLATE.width, height: PLATE.height + GAP + CARD.height };
  const card = PLATE.height + GAP;
  const cut = PLATE.height + GAP / 2;
  const elements = [
    box(0.2, 0.2, PLATE.width - 0.4, PLATE.height - 0.4, { class: "edge", rx: 2 }),
    text(4, 8.5, claim.origin, fitted(claim.origin, 6, "name")),
    text(4, 14, "niac, Network Isolation Access Controller"),
    text(4, 18, board, { class: "small" }),
    ...(serial === null ? [] : [text(96, 14, `S/N ${serial}`, { "text-anchor": "end" })]),
    text(4, 24, "Fingerprint of its key, as it shows it itself:", { class: "small" }),
    text(4, 28.5, claim.fingerprint, fitted(claim.fingerprint, 3.8, "words")),
    ...port(4, "UPLINK", "plant network"),
    ...port(52, "DEVICE", "machine"),
    text(4, 47, "24 V DC. No bypass: without power nothing passes from port to port.", {
      class: "small",
    }),
    line(
      [
        [0, cut],
        [PLATE.width, cut],
      ],
      { class: "cut" },
    ),
    box(0.2, card + 0.2, CARD.width - 0.4, CARD.height - 0.4, { class: "edge", rx: 2 }),
    text(4, card + 6, "Claim code. Inside the cover, never outside."),
    text(4, card + 13, claim.claimCode, fitted(claim.claimCode, 5, "code")),
    text(4, card + 17.5, claim.origin, fitted(claim.origin, 2.4, "small")),
    ...[
      "Whoever has this code may take the box over. Before you use it, compare",
      "the fingerprint on the plate with the one that is shown. Afterwards make",
      "a new code (niac claim renew) and take this card out.",
    ].map((words, index) => text(4, card + 22 + index * 3.2, words, { class: "small" })),
  ];
  return picture(view, { width: `${view.width}mm`, height: `${view.height}mm` }, STYLE, elements);
}

/** Squeezed where it would run over the edge: no letter of a font is much wider than two thirds of its size. */
function fitted(content: string, size: number, style: string): Record<string, string | number> {
  const squeezed = content.length * size * 0.68 > TEXT_WIDTH;
  return { class: style, ...(squeezed ? { textLength: TEXT_WIDTH, lengthAdjust: "spacingAndGlyphs" } : {}) };
}

function port(x: number, name: string, what: string): string[] {
  return [
    box(x, 32, 8, 8, { class: "edge" }),
    element("path", {
      d: `M${x + 1.5} 40v-4h1.5v-1.5h2v1.5h1.5v4`,
      fill: "none",
      stroke: "#000",
      "stroke-width": 0.3,
    }),
    text(x + 10, 35.4, name, { style: "font-size:4px;font-weight:bold" }),
    text(x + 10, 39.4, what),
  ];
}
