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
const claimSchema = z.object({
  origin: printable,
  claimCode: printable,
  /** SHA-256, hexadecimal. */
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  /** The same as the box's console shows it. */
  words: z.string().regex(/^[a-z]{5}(-[a-z]{5}){4}$/),
});
export type Claim = z.infer<typeof claimSchema>;

export interface LabelOptions {
  readonly claim: Claim;
  /** The maker's serial number of the box; null: none is printed. */
  readonly serial: string | null;
  /** What is in the box: `Compute Module 4`. */
  readonly model: string;
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
    `The claim is not as it must be: ${places.join(", ")} is missing, or not what niac prints there.`,
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
const LEFT = 4;
const RIGHT = 96;
const SMALL = 2.4;
/** A letter's width by its font's size: of every letter in monospaced fonts, and more than the mean in others. */
const LETTER = 0.6;

const STYLE = `
text{font-family:sans-serif;fill:#000}
.strong{font-weight:bold}
.mono{font-family:monospace}
.code{font-family:monospace;font-weight:bold}
.edge{fill:#fff;stroke:#000;stroke-width:.3}
.cut{stroke:#000;stroke-width:.2;stroke-dasharray:1.5 1}
`;

export function labelPicture({ claim, serial, model }: LabelOptions): string {
  const view = { width: PLATE.width, height: PLATE.height + GAP + CARD.height };
  const card = PLATE.height + GAP;
  const cut = PLATE.height + GAP / 2;
  const elements = [
    box(0.2, 0.2, PLATE.width - 0.4, PLATE.height - 0.4, { class: "edge", rx: 2 }),
    words(8, 6, claim.origin, "code"),
    words(12.8, 3, "niac, Network Isolation Access Controller"),
    words(17, SMALL, model),
    ...(serial === null
      ? []
      : [text(RIGHT, 17, `S/N ${serial}`, { "font-size": SMALL, "text-anchor": "end" })]),
    words(23, 4, `Identity: ${claim.words}`, "code"),
    ...inFours(claim.fingerprint).map((digits, index) => words(27 + index * 3, SMALL, digits, "mono")),
    ...port(LEFT, "UPLINK", "plant network"),
    ...port(52, "DEVICE", "machine"),
    words(47, SMALL, "24 V DC. No bypass: nothing passes a box without power."),
    line(
      [
        [0, cut],
        [PLATE.width, cut],
      ],
      { class: "cut" },
    ),
    box(0.2, card + 0.2, CARD.width - 0.4, CARD.height - 0.4, { class: "edge", rx: 2 }),
    words(card + 5.5, 3, "Claim code. Inside the cover, never outside."),
    words(card + 12, 5, claim.claimCode, "code"),
    words(card + 16, SMALL, claim.origin, "mono"),
    ...[
      "Whoever has this code may take the box over. Before you use it,",
      "compare the identity on the plate with the one the box shows.",
      "Afterwards make a new code (niac claim renew) and take this",
      "card out.",
    ].map((row, index) => words(card + 20 + index * 3.1, SMALL, row)),
  ];
  return picture(view, { width: `${view.width}mm`, height: `${view.height}mm` }, STYLE, elements);
}

/**
 * A line from the left edge, as large as asked or as fits the plate: smaller letters, because not every program that prints SVG follows
 * `textLength`.
 */
function words(y: number, size: number, content: string, style?: string): string {
  const fitting = Math.floor(((RIGHT - LEFT) / (content.length * LETTER)) * 100) / 100;
  return text(LEFT, y, content, {
    "font-size": Math.min(size, fitting),
    ...(style === undefined ? {} : { class: style }),
  });
}

/** Two lines of 32 digits in groups of four, to be compared by eye. */
function inFours(digits: string): string[] {
  return [digits.slice(0, 32), digits.slice(32)].map((half) => half.match(/.{4}/g)?.join(" ") ?? half);
}

function port(x: number, name: string, what: string): string[] {
  return [
    box(x, 34, 8, 8, { class: "edge" }),
    element("path", {
      d: `M${x + 1.5} 42v-4h1.5v-1.5h2v1.5h1.5v4`,
      fill: "none",
      stroke: "#000",
      "stroke-width": 0.3,
    }),
    text(x + 10, 37.4, name, { "font-size": 4, class: "strong" }),
    text(x + 10, 41.4, what, { "font-size": 3 }),
  ];
}
