import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { end, until } from "../../support/processes.ts";

const TERMINAL = fileURLToPath(new URL("../../../src/laptop/terminal.ts", import.meta.url));

/** At a terminal of its own, asks each question and prints what was answered. */
const asking = (secret: boolean, questions: readonly string[]): string => `
  const { thisComputer } = await import(${JSON.stringify(TERMINAL)});
  const computer = thisComputer(() => undefined, {}, import.meta.url);
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text) => write(text.replace("?", process.stdin.isRaw ? "? (no echo) " : "? (ECHO) "));
  for (const question of ${JSON.stringify(questions)}) {
    console.log("<" + (await computer.ask(question, ${secret})) + ">");
  }
`;

/** Types each answer as soon as its question is seen; gives everything that the terminal showed. */
async function typed(
  t: ExecutionContext,
  secret: boolean,
  dialogue: readonly [string, string][],
): Promise<string> {
  const source = asking(
    secret,
    dialogue.map(([question]) => question),
  );
  const command = `'${process.execPath}' --input-type=module -e "$SOURCE"`;
  const child = spawn("/usr/bin/script", ["-qec", command, "/dev/null"], {
    env: { ...process.env, SOURCE: source, NO_COLOR: "1", TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.teardown(() => end(child));
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (seen += text));
  const exit = new Promise((resolve) => child.once("close", resolve));
  for (const [question, answer] of dialogue) {
    await until(() => seen.includes(question), question);
    child.stdin.write(answer);
  }
  t.is(await exit, 0, seen);
  return seen;
}

test("a secret's question comes when the terminal shows nothing any more", async (t) => {
  const seen = await typed(t, true, [
    ["first?", "one\r"],
    ["second?", "two\r"],
  ]);
  t.is(seen.match(/\(no echo\)/g)?.length, 2, seen);
  t.notRegex(seen, /ECHO/);
});

test("the question stays where an answer is corrected", async (t) => {
  const DELETE = "\x7f";
  const LEFT = "\x1b[D";
  const seen = await typed(t, false, [["yes or no?", `yss${LEFT}${DELETE}e\r`]]);
  t.regex(seen, /<yes>/);
  // What editing draws anew starts with the question.
  const ESCAPE = String.fromCharCode(27);
  const [, ...drawn] = seen.split(`${ESCAPE}[1G`);
  t.true(drawn.length > 0, seen);
  t.true(
    drawn.every((text) => text.startsWith(`${ESCAPE}[0J`) && text.includes("yes or no?")),
    JSON.stringify(drawn),
  );
});
