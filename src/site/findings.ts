/** What is said about a site document: one finding for each mistake, with its place, in words for the admin who wrote it. */
export type Severity = "error" | "warning";

export interface Finding {
  readonly severity: Severity;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 units. */
  readonly column: number;
  /** Where in the document's structure, e.g. `grants[0].what.machines[1]`; "" for the document as a whole. */
  readonly path: string;
  readonly message: string;
  /** What could stand there. */
  readonly expected?: string;
  /** What was probably meant: text to put there. */
  readonly suggestion?: string;
}

/** Keys and list indices from the document's root. */
export type Path = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `key`: the name before the colon; `value`: what stands after it. */
export type Spot = "key" | "value";

export type Locate = (path: Path, spot: Spot) => Position;

export interface Hint {
  readonly expected?: string;
  readonly suggestion?: string;
  /** Default `value`. */
  readonly spot?: Spot;
}

/** Beyond this many, findings are counted and no longer listed: nobody reads them, and text from outside must not fill memory. */
export const MAX_FINDINGS = 500;

/** Collects findings; the locator turns paths into lines. */
export class Reporter {
  readonly #locate: Locate;
  readonly #findings: Finding[] = [];
  #errors = 0;
  #dropped = 0;

  constructor(locate: Locate) {
    this.#locate = locate;
  }

  get errors(): number {
    return this.#errors;
  }

  /** No more findings are listed: what only makes them nicer can be left out. */
  get full(): boolean {
    return this.#findings.length >= MAX_FINDINGS;
  }

  error(path: Path, message: string, hint: Hint = {}): void {
    this.#errors += 1;
    this.#add("error", null, path, message, hint);
  }

  /** For what has no path of its own: a syntax error, the second of two equal keys. */
  errorAt(position: Position, path: Path, message: string, hint: Hint = {}): void {
    this.#errors += 1;
    this.#add("error", position, path, message, hint);
  }

  warn(path: Path, message: string, hint: Hint = {}): void {
    this.#add("warning", null, path, message, hint);
  }

  /** The line a path begins at, for messages that name a second place. */
  line(path: Path): number {
    return this.#locate(path, "key").line;
  }

  /** In the order of the document. */
  list(): readonly Finding[] {
    const sorted = this.#findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
    if (this.#dropped === 0) return sorted;
    const severity: Severity = this.#errors > 0 ? "error" : "warning";
    return [
      ...sorted,
      { severity, line: 1, column: 1, path: "", message: `${this.#dropped} more findings are not listed` },
    ];
  }

  #add(severity: Severity, position: Position | null, path: Path, message: string, hint: Hint): void {
    if (this.full) {
      this.#dropped += 1;
      return;
    }
    const { line, column } = position ?? this.#locate(path, hint.spot ?? "value");
    this.#findings.push({
      severity,
      line,
      column,
      path: printable(pathText(path)),
      message: printable(message),
      ...(hint.expected === undefined ? {} : { expected: printable(hint.expected) }),
      ...(hint.suggestion === undefined ? {} : { suggestion: printable(hint.suggestion) }),
    });
  }
}

/** `["grants", 0, "what"]` to `grants[0].what`; keys that are no plain names are quoted. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z][\w-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** What the document holds must not steer a terminal or a page: what is not printable is shown as U+FFFD. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

const CLIP = 100;

/** One line of the document; a long one is cut around the column. */
function excerpt(
  text: string,
  line: number,
  column: number,
): { readonly source: string; readonly caret: number } {
  const whole = text.split(/\r?\n/, line)[line - 1] ?? "";
  const from = column > CLIP ? column - 1 - CLIP / 2 : 0;
  const cut = printable(whole.slice(from, from + CLIP).replaceAll("\t", " "));
  return { source: cut.trimEnd(), caret: Math.min(column - 1 - from, cut.length) };
}

/** `file:line:column  error  message`, the source line with a caret, what is expected, and what was probably meant. */
export function formatFinding(finding: Finding, fileName: string, text: string): string {
  const lines = [`${fileName}:${finding.line}:${finding.column}  ${finding.severity}  ${finding.message}`];
  const { source, caret } = excerpt(text, finding.line, finding.column);
  if (source !== "") {
    const margin = `${finding.line}`.padStart(5);
    lines.push(`${margin} | ${source}`, `${" ".repeat(5)} | ${" ".repeat(caret)}^`);
  }
  if (finding.path !== "") lines.push(`      at: ${finding.path}`);
  if (finding.expected !== undefined) lines.push(`      expected: ${finding.expected}`);
  if (finding.suggestion !== undefined) lines.push(`      did you mean: ${finding.suggestion}`);
  return lines.join("\n");
}
