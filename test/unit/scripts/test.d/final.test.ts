import test from "ava";
import { finalSubject } from "../../../../scripts/test.d/final.ts";
import type { Failure } from "../../../../scripts/test.d/tap.ts";

const AT = "test/e2e/a.test.ts";

function failure(title: string, ...lines: string[]): Failure {
  return { file: "test/e2e/a.test.ts", title, lines: [`  FAIL  ${title}`, "  ---", ...lines, "  ..."] };
}

function asserted(title: string, statement: string, message = "Test failed"): string | null {
  const lines = [
    "    name: AssertionError",
    `    message: ${message}`,
    "    assertion: t.is",
    "    at: ExecutionContext.is (file:///node_modules/ava/lib/assert.js:340:15)",
    `      at ${AT}:2:3`,
  ];
  return finalSubject(failure(title, ...lines), (path) => (path === AT ? `first\n${statement}\nlater;` : ""));
}

const FINAL: ReadonlyArray<readonly [title: string, statement: string, subject: string]> = [
  ["forwarded, and nothing else", "t.deepEqual(await watch.crossed(), []);", "packets that crossed"],
  ["a flood", "t.is(\n  frames.length,\n  0);", "packets that crossed"],
  ["a stranger is refused by name", "t.is(code, 1);", "a refusal"],
  ["a session", 't.is(await bed.write(200, 1), "Illegal function");', "a refusal"],
  ["a support bundle", "t.false(text.includes(passphrase));", "a secret"],
  ["a session", "t.is((await bed.records()).length, 3);", "a record"],
];
for (const [title, statement, subject] of FINAL)
  test(`an assertion is final where it is about ${subject}: ${statement.replaceAll("\n", "")}`, (t) => {
    t.is(asserted(title, statement), subject);
  });

test("an assertion's own message counts too", (t) => {
  t.is(asserted("a flood", "t.is(a, b, what);", "a packet was seen at the press"), "packets that crossed");
});

test("what stands after the assertion's statement does not", (t) => {
  t.is(asserted("the clock", "t.is(a, b);\nt.deepEqual(await watch.crossed(), []);"), null);
});

test("an assertion about anything else may be looked at again", (t) => {
  t.is(asserted("the clock of a box", "t.is(hands, 3);"), null);
  t.is(finalSubject(failure("it works", "    name: AssertionError", "    message: no")), null);
});

/** As ava tells an error that a test threw. */
function waited(what: string): string | null {
  const lines = [
    "#   at test/support/processes.ts:44:30",
    "    name: AssertionError",
    "    details:",
    "      'Rejected promise returned by test. Reason:': |-",
    "        Error {",
    `          message: \`waited 45000 ms for ${what}. Log:`,
    "          a stranger was refused`,",
    "        }",
    "    message: Rejected promise returned by test",
  ];
  return finalSubject(failure("a refused packet is on record", ...lines));
}

test("a wait is about what was waited for, whatever its test is about", (t) => {
  t.is(waited("QEMU to start"), null);
  t.is(waited("3 records of kind=operation"), "a record");
  t.is(waited("the session to be refused"), "a refusal");
});

test("a message over several lines is read as a whole, and no further", (t) => {
  const lines = ["    message: |-", "      the box said", "      3 records", "    stack: refused"];
  t.is(finalSubject(failure("it works", ...lines)), "a record");
  t.is(finalSubject(failure("it works", "    message: one", "    stack: refused")), null);
});
