import test from "ava";
import type { PostureAnswer } from "../../../src/est/index.ts";
import { pauseAfter } from "../../../src/laptop/posture.ts";
import { answerLines, findingLines, standingText } from "../../../src/laptop/posture-show.ts";
import { unknown } from "../../../src/laptop/posture-facts.ts";

const MET = { name: "encrypted", met: true, until: 7_200, lack: "the report is stale" };
const NOT = { name: "watched", met: false, until: null, lack: "no endpoint protection runs on it\u001b[2J" };

function answer(...requirements: PostureAnswer["requirements"]): PostureAnswer {
  return { device: "laptop-7", by: "laptop", iat: 0, again: 1_200, requirements };
}

test("each fact is a line: what was found, and how, or why not", (t) => {
  const lines = findingLines({
    diskEncryption: { value: true, found: "encrypted", how: "/: dm-0 (LUKS2)" },
    os: { value: { name: "linux", version: "6.12.30" }, found: "linux 6.12.30", how: "the kernel's version" },
    edr: unknown("/proc hides others' processes"),
  });
  t.deepEqual(lines, [
    "FACT                             FOUND          HOW",
    "disk encryption                  encrypted      /: dm-0 (LUKS2)",
    "operating system                 linux 6.12.30  the kernel's version",
    "endpoint detection and response  not known      /proc hides others' processes",
  ]);
});

test("each requirement is a line: how long it is met, or why it is not; what came from outside stays text", (t) => {
  t.deepEqual(answerLines(answer(MET, NOT), 0), [
    "REQUIREMENT  MET  HOW LONG, OR WHY NOT",
    "encrypted    yes  for 2 h, if no other report comes",
    "watched      no   no endpoint protection runs on it\\u{1b}[2J",
  ]);
  t.deepEqual(answerLines(answer(), 0), ["Nothing at this box asks what laptop-7 is like."]);
});

test("a later end is no news, another standing is", (t) => {
  t.is(standingText(answer(MET)), standingText(answer({ ...MET, until: 9_000, lack: "else" })));
  t.not(standingText(answer(MET)), standingText(answer({ ...MET, met: false, until: null })));
  t.not(standingText(answer(NOT)), standingText(answer({ ...NOT, lack: "its disk is not encrypted" })));
});

test("after failures the pause doubles, to a quarter of an hour", (t) => {
  t.deepEqual([1, 2, 3, 7, 8, 100].map(pauseAfter), [10_000, 20_000, 40_000, 640_000, 900_000, 900_000]);
});
