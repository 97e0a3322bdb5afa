/**
 * Text to plain values, by a careful subset of YAML 1.2: no anchors, aliases, tags, directives or further documents, no
 * numbers in a second notation (010, 0x0A, 1e1), no hidden characters. What two readers may understand differently is refused.
 */
import { Composer, isAlias, isNode, isScalar, isSeq, Lexer, Parser } from "yaml";
import type { CST, Document, Node, Scalar } from "yaml";
import { Reporter, type Path, type Position } from "./findings.ts";
import { lineStarts, locator, positionAt } from "./locate.ts";

/** Characters of a document. */
export const MAX_TEXT = 4 * 1024 * 1024;
/** Lexical tokens of a document: about 12,000 rules. The YAML library needs time and memory for each. */
export const MAX_TOKENS = 2_000_000;
/** The YAML library's stack, several entries for each level of nesting; a site document needs fewer than 30. */
export const MAX_DEPTH = 64;
/** Characters of one token: a text, a comment. */
export const MAX_TOKEN = 64 * 1024;

const MAX_SYNTAX_ERRORS = 50;

/** Controls but tab and line ends, and what reorders or hides text: a reviewer must see what the box reads. */
const HIDDEN = /(?![\t\r\n])[\p{Cc}\p{Bidi_Control}\u200B\u2028\u2029\u2060-\u2064\uFEFF]/gu;

export interface YamlResult {
  /** Objects, lists, texts, numbers, booleans and null. */
  readonly value: unknown;
  /** False where the text is no YAML, or YAML of another kind: its values say nothing then. */
  readonly structured: boolean;
  readonly reporter: Reporter;
}

interface Place {
  readonly reporter: Reporter;
  readonly at: (offset: number) => Position;
  /** Set where something was met that has no value here: an alias, another version of YAML. */
  foreign: boolean;
}

type Scan = { readonly tokens: readonly CST.Token[] } | { readonly offset: number; readonly problem: string };

/** Tokens of one document, or where it went beyond a limit: the library itself has none, and would run out of memory. */
function scan(text: string): Scan {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    const { offset } = parser;
    if (count > MAX_TOKENS) return { offset, problem: `more than ${MAX_TOKENS} tokens` };
    if (lexeme.length > MAX_TOKEN)
      return { offset, problem: `${lexeme.length} characters in one piece, at most ${MAX_TOKEN}` };
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "error") errors += 1;
    }
    if (parser.stack.length > MAX_DEPTH) return { offset, problem: "nested too deeply for a site document" };
    if (errors > MAX_SYNTAX_ERRORS) return { offset, problem: "too many syntax errors to go on" };
  }
  tokens.push(...parser.end());
  return { tokens };
}

function firstLine(message: string): string {
  const [line = ""] = message.split("\n");
  return line.length > 160 ? `${line.slice(0, 160)}...` : line;
}

/** Anchors and tags, on keys as on values. */
function checkProperties(node: Node, path: Path, reporter: Reporter): void {
  if (!isAlias(node) && node.anchor !== undefined) {
    reporter.error(path, `anchors (&${firstLine(node.anchor)}) are not taken in a site document`);
  }
  if (node.tag !== undefined) {
    reporter.error(path, `tags (${firstLine(node.tag)}) are not taken in a site document`);
  }
}

function plainScalar({ value, source }: Scalar, path: Path, reporter: Reporter): unknown {
  if (typeof value === "number" && source !== undefined && String(value) !== source) {
    const suggestion = Number.isFinite(value) ? { suggestion: String(value) } : {};
    reporter.error(
      path,
      `${firstLine(source)} is a number in a notation that readers understand differently`,
      {
        expected: "a number in plain decimal digits, or text in quotes",
        ...suggestion,
      },
    );
  }
  return value;
}

/** Nodes to plain values; what a site document does not use is reported at its place. */
function plain(node: unknown, path: Path, place: Place): unknown {
  const { reporter } = place;
  if (!isNode(node)) return null;
  checkProperties(node, path, reporter);
  if (isAlias(node)) {
    place.foreign = true;
    reporter.error(path, "aliases (*name) are not taken in a site document", {
      expected: "the value itself, written out",
    });
    return null;
  }
  if (isScalar(node)) return plainScalar(node, path, reporter);
  if (isSeq(node)) return node.items.map((item, index) => plain(item, [...path, index], place));
  const object: Record<string, unknown> = {};
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue; // the composer has reported it
    checkProperties(key, path, reporter);
    const name = String(key.value);
    const child = [...path, name];
    if (Object.hasOwn(object, name)) {
      const position = place.at(key.range?.[0] ?? 0);
      const first = reporter.line(child);
      reporter.errorAt(position, child, `${firstLine(name)} stands here twice, first on line ${first}`);
    } else if (name === "__proto__") {
      reporter.error(child, "__proto__ cannot be a name", { spot: "key" });
    } else {
      object[name] = plain(value, child, place);
    }
  }
  return object;
}

function reportSyntax(documents: readonly Document.Parsed[], place: Place): void {
  const { reporter, at } = place;
  const [document, second] = documents;
  if (document !== undefined) {
    for (const error of [...document.errors, ...document.warnings]) {
      const hint = error.code === "TAB_AS_INDENT" ? { expected: "spaces for indentation" } : {};
      reporter.errorAt(at(error.pos[0]), [], firstLine(error.message), hint);
    }
    if (document.directives.yaml.explicit === true || Object.keys(document.directives.tags).length > 1) {
      place.foreign = true;
      reporter.errorAt(at(0), [], "directives (%YAML, %TAG) are not taken in a site document");
    }
  }
  if (second !== undefined) {
    reporter.errorAt(at(second.range[0]), [], "a second document begins here", {
      expected: "one document in a file",
    });
  }
}

/** Never throws on bad text: everything wrong is in the reporter. */
export function readYaml(text: string, fileName: string): YamlResult {
  if (text.length > MAX_TEXT) {
    const reporter = new Reporter(() => ({ line: 1, column: 1 }));
    reporter.error([], `${fileName} has ${text.length} characters, at most ${MAX_TEXT} are read`);
    return { value: null, structured: false, reporter };
  }
  const starts = lineStarts(text);
  const at = (offset: number): Position => positionAt(starts, offset);
  const scanned = scan(text);
  if ("problem" in scanned) {
    const reporter = new Reporter(locator(null, starts));
    reporter.errorAt(at(scanned.offset), [], `${fileName} is no site document: ${scanned.problem}`);
    return { value: null, structured: false, reporter };
  }
  const composer = new Composer({
    version: "1.2",
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const documents = [...composer.compose(scanned.tokens, true, text.length)];
  const root = documents[0]?.contents ?? null;
  const reporter = new Reporter(locator(root, starts));
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index === 0 && match[0] === "\uFEFF") continue; // a byte order mark
    const code = match[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    reporter.errorAt(at(match.index), [], `hidden character U+${code}`, {
      expected: "text that can be seen",
    });
  }
  const place = { reporter, at, foreign: documents[0]?.errors.length !== 0 };
  reportSyntax(documents, place);
  const value = plain(root, [], place);
  return { value, structured: !place.foreign, reporter };
}
