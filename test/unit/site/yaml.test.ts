import test from "ava";
import { MAX_DEPTH, MAX_TEXT, MAX_TOKEN, MAX_TOKENS, readYaml } from "../../../src/site/yaml.ts";

function messages(text: string): readonly string[] {
  return readYaml(text, "site.yaml")
    .reporter.list()
    .map(({ message }) => message);
}

test("plain values come out as they are", (t) => {
  const { value, structured, reporter } = readYaml(
    "a: [1, x, true, null, 1.5]\nb: { c: '1', 2: d }\n",
    "site.yaml",
  );
  t.deepEqual(value, { a: [1, "x", true, null, 1.5], b: { c: "1", "2": "d" } });
  t.true(structured);
  t.deepEqual(reporter.list(), []);
});

test("an empty text and one of comments are nothing", (t) => {
  for (const text of ["", "\n\n", "# only this\n", "---\n", "\uFEFF"])
    t.is(readYaml(text, "site.yaml").value, null);
});

test("a byte order mark and CRLF are taken", (t) => {
  const { value, reporter } = readYaml("\uFEFFa: 1\r\nb: 2\r\n", "site.yaml");
  t.deepEqual(value, { a: 1, b: 2 });
  t.deepEqual(reporter.list(), []);
});

test("the longest text is read, one character more is not", (t) => {
  const longest = `a: 1\n${`${"#".repeat(999)}\n`.repeat(MAX_TEXT / 1000)}`.padEnd(MAX_TEXT, "#");
  t.deepEqual(readYaml(longest, "site.yaml").value, { a: 1 });
  t.deepEqual(messages(`${longest}\n`), [
    `site.yaml has ${MAX_TEXT + 1} characters, at most ${MAX_TEXT} are read`,
  ]);
});

test("the longest token is read, one character more is not", (t) => {
  t.true(readYaml(`a: ${"x".repeat(MAX_TOKEN)}`, "site.yaml").structured);
  t.regex(messages(`a: ${"x".repeat(MAX_TOKEN + 1)}`)[0] ?? "", /in one piece/);
});

test("texts made to exhaust the reader end with one finding", (t) => {
  const size = MAX_TEXT / 2;
  for (const text of [
    "[".repeat(size),
    "{".repeat(size),
    "- ".repeat(size / 2),
    "? ".repeat(size / 2),
    "]".repeat(size),
    " - [\n".repeat(MAX_DEPTH),
  ]) {
    const { structured, reporter } = readYaml(text, "site.yaml");
    t.false(structured);
    t.is(reporter.list().length, 1);
  }
  t.regex(messages(`[${",".repeat(MAX_TOKENS)}]`)[0] ?? "", /more than 2000000 tokens/);
});

test("aliases are refused, so none can be multiplied", (t) => {
  const bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n";
  const { structured, reporter } = readYaml(bomb, "site.yaml");
  t.false(structured);
  t.is(reporter.list().filter(({ message }) => message.startsWith("aliases")).length, 6);
});

test("the same key twice names both lines", (t) => {
  const { reporter } = readYaml("a:\n  b: 1\n  c: 2\n  b: 3\n", "site.yaml");
  t.like(reporter.list()[0], {
    line: 4,
    column: 3,
    path: "a.b",
    message: "b stands here twice, first on line 2",
  });
});

test("numbers in other notations are refused", (t) => {
  for (const number of [
    "010",
    "0x1F",
    "0o17",
    "1e3",
    "1.0",
    "+5",
    ".5",
    "-0",
    ".inf",
    ".nan",
    "99999999999999999999",
  ]) {
    t.is(messages(`a: ${number}`).length, 1, number);
    t.deepEqual(messages(`a: "${number}"`), [], number);
  }
});

test("what cannot be seen is refused wherever it stands", (t) => {
  for (const hidden of ["\u202E", "\u2066", "\u200B", "\u200F", "\u0007", "\u0085", "\u007F", "\u2028"]) {
    t.true(
      messages(`a: 1 # ${hidden}\n`).some((message) => message.startsWith("hidden character")),
      hidden,
    );
  }
});
