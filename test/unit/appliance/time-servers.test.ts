import test from "ava";
import { readFollowing, sourcesText } from "../../../src/appliance/time-servers.ts";

const IN_STEP =
  "0A140009,10.20.0.9,3,1795959318.380519280,-0.000002190,0.000000038,0.000000038,0.003,0.001,5.046,0.000007829,0.000027032,2.0,Normal";
const NEVER =
  "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised";

function server(state: string, address: string, reach: string, offset: string): string {
  return `^,${state},${address},2,6,${reach},3,${offset},${offset},0.000017412`;
}

test("chrony's words: which server the clock goes by, since when, and how the others stand", (t) => {
  const text = [
    IN_STEP,
    server("*", "10.20.0.9", "17", "-0.002500000"),
    server("+", "10.20.0.10", "377", "0.000000000"),
    server("-", "10.20.0.11", "7", "0.250000000"),
    server("x", "10.20.0.12", "7", "7200.000000000"),
    server("?", "10.20.0.13", "0", "0.000000000"),
    "",
  ].join("\n");
  t.deepEqual(readFollowing(text), {
    followed: { address: "10.20.0.9", at: 1_795_959_318_381 },
    servers: [
      { address: "10.20.0.9", state: "followed", ahead: 2.5 },
      { address: "10.20.0.10", state: "followed", ahead: 0 },
      { address: "10.20.0.11", state: "answers", ahead: -250 },
      { address: "10.20.0.12", state: "disbelieved", ahead: -7_200_000 },
      { address: "10.20.0.13", state: "silent", ahead: null },
    ],
  });
});

test("a server that chrony selected, and whose change it ignores for its size, is not believed", (t) => {
  const text = [
    NEVER,
    server("*", "10.20.0.9", "17", "-3601.0"),
    server("*", "10.20.0.9", "17", "-3599.0"),
    server("~", "10.20.0.9", "17", "3601.0"),
    server("?", "10.20.0.9", "1", "3601.0"),
  ];
  const { followed, servers } = readFollowing(text.join("\n"));
  t.is(followed, null);
  t.deepEqual(
    servers.map(({ state }) => state),
    ["disbelieved", "followed", "disbelieved", "answers"],
  );
});

test("what is no word of chrony's says nothing", (t) => {
  for (const text of [
    "",
    "506 Cannot talk to daemon\n",
    ",".repeat(13),
    ",".repeat(9),
    server("*", "evil\u001B[2J", "1", "0"),
  ])
    t.deepEqual(readFollowing(text), { followed: null, servers: [] }, text);
  const odd = server("*", "10.20.0.9", "17", "soon");
  t.deepEqual(readFollowing(odd).servers, [{ address: "10.20.0.9", state: "silent", ahead: null }]);
});

test("chrony is told addresses, a server a line, and of anything else nothing", (t) => {
  const lines = sourcesText(["10.20.0.9", "10.20.0.10 key 1\nallow all", "time.example"]).split("\n");
  t.deepEqual(lines.slice(1), ["server 10.20.0.9 iburst", ""]);
  t.true(lines[0]?.startsWith("#"));
  t.is(sourcesText([]).split("\n").length, 2);
});
