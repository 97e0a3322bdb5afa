/** Single values of the document: each is read by one strict function and described to editors by the JSON Schema beside it. */
import * as z from "zod";

export interface Mistake {
  readonly message: string;
  readonly expected?: string;
  readonly suggestion?: string;
}

export type Reading<T> = { readonly value: T } | { readonly mistake: Mistake };

/** What an editor is told: keywords of JSON Schema 2020-12. */
export interface Described {
  readonly description: string;
  readonly type?: "string" | "integer" | "number";
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly enum?: readonly (string | number)[];
  readonly anyOf?: readonly Omit<Described, "description">[];
  /** What holds where nothing is given; becomes `default`, which zod leaves out for values that are transformed. */
  readonly fallback?: unknown;
}

/** What an issue of a scalar carries besides its message. */
export const mistakeParams = z.object({
  missing: z.boolean().optional(),
  expected: z.string().optional(),
  suggestion: z.string().optional(),
});

/** A schema for one value. Its output is what `read` made of the text: an interval, milliseconds. */
export function scalar<T>(described: Described, read: (input: unknown) => Reading<T>) {
  return z
    .unknown()
    .transform((input, context): T => {
      if (input === undefined) {
        context.addIssue({
          code: "custom",
          message: "missing",
          params: { missing: true, expected: described.description },
        });
        return z.NEVER;
      }
      const reading = read(input);
      if ("value" in reading) return reading.value;
      const { message, ...params } = reading.mistake;
      context.addIssue({ code: "custom", message, params });
      return z.NEVER;
    })
    .meta({ ...described });
}

export function mistake(
  message: string,
  expected?: string,
  suggestion?: string,
): { readonly mistake: Mistake } {
  return {
    mistake: {
      message,
      ...(expected === undefined ? {} : { expected }),
      ...(suggestion === undefined ? {} : { suggestion }),
    },
  };
}

/** A value as it is shown in a message: at most 60 characters. */
export function shown(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  if (input === null) return "nothing";
  if (typeof input === "object") return "a mapping";
  const words = typeof input === "string" ? input : JSON.stringify(input);
  if (words === "") return `""`;
  return words.length > 60 ? `${words.slice(0, 60)}...` : words;
}

export const MAX_NAME = 255;

/** Everything that is not printable: controls, formats, surrogates, private use, unassigned, line separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

export function readText(input: unknown, longest = MAX_NAME): Reading<string> {
  const expected = `printable text of 1 to ${longest} characters`;
  if (typeof input === "number" || typeof input === "boolean") {
    return mistake(`${shown(input)} is not text`, "text: put it in quotes", JSON.stringify(String(input)));
  }
  if (typeof input !== "string") return mistake(`${shown(input)} stands where text belongs`, expected);
  if (input.trim() === "") return mistake("this text is empty", expected);
  if (input.trim() !== input) return mistake("this text begins or ends with a blank", expected, input.trim());
  if (input.length > longest)
    return mistake(`this text has ${input.length} characters, at most ${longest}`, expected);
  if (UNPRINTABLE.test(input)) return mistake("this text has characters that cannot be seen", expected);
  return { value: input };
}

/** User, group, device, role: compared exactly, so printable and without blanks at the ends. */
export function text(description: string, longest = MAX_NAME) {
  return scalar({ description, type: "string", minLength: 1, maxLength: longest }, (input) =>
    readText(input, longest),
  );
}

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A machine's, service's or rule's name: a DNS label (RFC 1123, section 2.1), lower case. */
export function readName(input: unknown): Reading<string> {
  const expected = "a name of 1 to 63 letters a-z, digits and hyphens, no hyphen at its ends";
  if (typeof input !== "string") {
    return mistake(
      `${shown(input)} is not a name`,
      expected,
      typeof input === "number" ? `"${input}"` : undefined,
    );
  }
  if (NAME.test(input)) return { value: input };
  const tame = input
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
  return mistake(`${shown(input)} cannot be a name`, expected, tame === "" ? undefined : tame);
}

export function name(description: string) {
  return scalar({ description, type: "string", pattern: NAME.source }, readName);
}

/** A whole number within limits, both included. */
export function whole(description: string, minimum: number, maximum: number, fallback?: number) {
  const expected = `a whole number from ${minimum} to ${maximum}`;
  const described: Described = { description, type: "integer", minimum, maximum };
  return scalar(fallback === undefined ? described : { ...described, fallback }, (input) => {
    if (typeof input !== "number") return mistake(`${shown(input)} is not a number`, expected);
    if (!Number.isInteger(input)) return mistake(`${input} is not a whole number`, expected);
    if (input < minimum || input > maximum)
      return mistake(`${input} is outside ${minimum}..${maximum}`, expected);
    return { value: input };
  });
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const DURATION = /^(0|[1-9]\d{0,8})(ms|s|m|h)$/;

export function durationText(milliseconds: number): string {
  const fitting = Object.entries(UNITS).find(([, length]) => milliseconds % length === 0);
  const [unit, length] = fitting ?? ["ms", 1];
  return `${milliseconds / length}${unit}`;
}

/** `250ms`, `10s`, `15m`, `1h` to milliseconds; limits in milliseconds, both included. */
export function readDuration(input: unknown, minimum: number, maximum: number): Reading<number> {
  const range = `${durationText(minimum)} to ${durationText(maximum)}`;
  const expected = `a number with its unit (ms, s, m, h), ${range}`;
  if (typeof input === "number") return mistake(`${input} has no unit`, expected, `${input}s`);
  const match = typeof input === "string" ? DURATION.exec(input) : null;
  if (match === null) return mistake(`${shown(input)} is not a duration`, expected);
  const milliseconds = Number(match[1]) * UNITS[match[2]!]!;
  if (milliseconds < minimum || milliseconds > maximum)
    return mistake(`${match[0]} is outside ${range}`, expected);
  return { value: milliseconds };
}

export function duration(description: string, minimum: number, maximum: number, fallback: string) {
  return scalar({ description, type: "string", pattern: DURATION.source, fallback }, (input) =>
    readDuration(input, minimum, maximum),
  );
}
