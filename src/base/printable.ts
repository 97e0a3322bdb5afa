/** What a terminal shows as it is: letters, digits, punctuation, symbols and the plain space; each takes one column or two. */
const SHOWN = /^[\p{L}\p{N}\p{P}\p{S} ]$/u;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u{3000}-\u{303f}\u{ff01}-\u{ff60}\u{ffe0}-\u{ffe6}]$/u;
/** Letters that print nothing or are drawn as a blank, though Unicode calls them letters or symbols. */
const BLANK = /^[\u{115f}\u{1160}\u{3164}\u{ffa0}\u{2800}]$/u;

/**
 * Text of unknown origin made safe for a terminal and its columns: control characters (escape sequences among them), marks that
 * change the direction or sit on other letters, blanks that are no space and halves of surrogate pairs become `\u{hex}`, a
 * backslash doubles, so that nothing can pretend to be an escape. Composed first (NFC), so that ordinary accents stay.
 */
export function printable(text: string): string {
  let shown = "";
  for (const character of text.normalize("NFC")) {
    if (character === "\\") shown += "\\\\";
    else if (SHOWN.test(character) && !BLANK.test(character)) shown += character;
    else shown += `\\u{${character.codePointAt(0)!.toString(16)}}`;
  }
  return shown;
}

/** Columns that printable text takes. */
export function columns(text: string): number {
  let sum = 0;
  for (const character of text) sum += WIDE.test(character) ? 2 : 1;
  return sum;
}

/** Printable text cut to at most `width` columns, the last one then an ellipsis. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let shown = "";
  let used = 1;
  for (const character of text) {
    used += columns(character);
    if (used > width) break;
    shown += character;
  }
  return width > 0 ? `${shown}…` : "";
}

/** Printable text in exactly `width` columns. */
export function fit(text: string, width: number): string {
  const shown = cut(text, width);
  return shown + " ".repeat(width - columns(shown));
}
