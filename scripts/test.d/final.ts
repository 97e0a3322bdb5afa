/**
 * Which failures are never looked at twice. A packet that crossed, a refusal that did not come, a secret that was seen, a record that is missing:
 * once is enough to hurt somebody, and a second try would hide it. All else may have been the computer, and is run again.
 */
import { readFileSync } from "node:fs";
import type { Failure } from "./tap.ts";

const SUBJECTS: ReadonlyArray<readonly [subject: string, words: RegExp]> = [
  ["packets that crossed", /packet|frame|datagram|crossed|captur|sniff|tcpdump|tshark/i],
  ["a refusal", /refus|denial|denied|deny|forbid|illegal function|exception/i],
  ["a secret", /secret|password|passphrase|private ?key|plain ?text|leak/i],
  ["a record", /record|audit/i],
];
/** Ava's words for an error that is no assertion. */
const THROWN = /^\s*message: (Rejected promise returned by test|Error thrown in test)/m;
/** Lines of a statement that are read. */
const STATEMENT = 12;

/**
 * What the failure is about, where that makes it final; null: it may be run again. An assertion is about what its test's title, its message and
 * its statement say; an error that was thrown, as by a wait without an end, about its own first line.
 */
export function finalSubject(failure: Failure, sourceOf = readSource): string | null {
  const said = failure.lines.slice(1).join("\n");
  const asserted = /^\s*name: AssertionError/m.test(said);
  const message = messageOf(failure.lines);
  const about = THROWN.test(said)
    ? thrownIn(said)
    : asserted
      ? [failure.title, message, statementsOf(said, sourceOf)].join("\n")
      : message;
  return SUBJECTS.find(([, words]) => words.test(about))?.[0] ?? null;
}

/** The first line of the message of an error that a test threw, as ava writes it among the details. */
function thrownIn(said: string): string {
  const [, , text = ""] = /\bmessage: (['"`])([^\n]*)/.exec(said) ?? [];
  return text;
}

/** The text of `message:` in TAP's YAML, with the lines that belong to it. */
function messageOf(lines: readonly string[]): string {
  const start = lines.findIndex((line) => /^\s*message:/.test(line));
  if (start < 0) return "";
  const indent = /^\s*/.exec(lines[start] ?? "")?.[0].length ?? 0;
  const more = lines.slice(start + 1);
  const end = more.findIndex((line) => line.trim() !== "" && !line.startsWith(" ".repeat(indent + 1)));
  return [lines[start], ...more.slice(0, end < 0 ? more.length : end)].join("\n");
}

/** The statements that led to the failure, by the places in test files that it names (test/support/runner/named-test.ts). */
function statementsOf(said: string, sourceOf: (path: string) => string): string {
  return [...said.matchAll(/\bat (test\/[^\s'"():]+\.ts):(\d+)/g)]
    .map(([, path = "", line]) => {
      const lines = sourceOf(path)
        .split("\n")
        .slice(Number(line) - 1, Number(line) - 1 + STATEMENT);
      const end = lines.findIndex((one) => one.trimEnd().endsWith(";"));
      return lines.slice(0, end < 0 ? lines.length : end + 1).join("\n");
    })
    .join("\n");
}

function readSource(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The file is gone: the title and the message alone say what it is about.
    return "";
  }
}
