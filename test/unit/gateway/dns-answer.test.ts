import test from "ava";
import { answerQuery, namesByMachine } from "../../../src/gateway/dns-answer.ts";
import { decodeHeader, decodeQuery, type DnsQuery } from "../../../src/gateway/dns-message.ts";
import { opt, query, type QueryParts } from "./dns-queries.ts";
import { destination, snapshotWith } from "./responder-bed.ts";

const SNAPSHOT = snapshotWith([
  destination("historian", ["press-4"], ["historian.plant.example"], "10.1.0.5"),
  destination("broker", ["press-4", "saw-1"], ["broker.example", "historian.plant.example"], "198.19.0.1"),
  destination("by-address", ["press-4"], [], "10.1.0.9"),
]);
const NAMES = namesByMachine(SNAPSHOT);

function ask(machine: string, parts: QueryParts): ReturnType<typeof answerQuery> {
  const bytes = query(parts);
  const header = decodeHeader(bytes);
  if (!header) throw new Error("no header");
  const asked: DnsQuery = decodeQuery(header, bytes);
  return answerQuery(machine, NAMES.get(machine) ?? new Map(), asked);
}

const HISTORIAN = ["historian", "plant", "example"];

test("a machine without destinations may look up nothing", (t) => {
  const { answer, refused } = ask("drill-9", { labels: ["broker", "example"] });
  t.is(answer.rcode, 5);
  t.truthy(refused);
  t.is(namesByMachine(snapshotWith([])).size, 0);
});

test("a name of a machine's own destination has the destination's address, of the first where two have the name", (t) => {
  t.deepEqual(ask("press-4", { labels: HISTORIAN }), {
    answer: { rcode: 0, address: { value: "10.1.0.5", ttl: 60 }, extendedError: null },
    refused: null,
  });
  t.is(ask("saw-1", { labels: HISTORIAN }).answer.address?.value, "198.19.0.1");
  t.is(ask("press-4", { labels: ["HISTORIAN", "Plant", "eXample"] }).answer.address?.value, "10.1.0.5");
  t.is(ask("press-4", { labels: HISTORIAN, type: 255 }).answer.address?.value, "10.1.0.5", "any type");
});

test("another type of such a name is there and empty", (t) => {
  for (const type of [28, 15, 16, 65])
    t.deepEqual(ask("press-4", { labels: HISTORIAN, type }), {
      answer: { rcode: 0, address: null, extendedError: null },
      refused: null,
    });
});

test("any other name is refused by name, whatever its type, as are its parts and what lies under it", (t) => {
  for (const labels of [
    ["plant", "example"],
    ["x", ...HISTORIAN],
    ["historian.plant.example"],
    [],
    ["4", "0", "1", "10", "in-addr", "arpa"],
  ]) {
    const { answer, refused } = ask("press-4", { labels, type: 12 });
    t.is(answer.rcode, 5);
    t.is(answer.address, null);
    t.is(answer.extendedError?.code, 18);
    t.truthy(refused);
  }
  const { refused } = ask("press-4", { labels: ["evil", "example"] });
  t.is(
    refused?.reason,
    'press-4 asked DNS for "evil.example", which is a name of none of its destinations; add it to one\'s names, or stop the machine from asking',
  );
  t.is(refused?.alike, "name evil.example");
  t.is(ask("saw-1", { labels: ["by-address"] }).answer.rcode, 5);
});

test("a class other than the Internet's is refused, for an allowed name too", (t) => {
  const { answer, refused } = ask("press-4", { labels: HISTORIAN, class: 3 });
  t.is(answer.rcode, 5);
  t.is(refused?.alike, "class 3");
});

test("an unknown version of EDNS is answered as that, without an address", (t) => {
  const { answer, refused } = ask("press-4", { labels: HISTORIAN, rest: opt(1) });
  t.deepEqual([answer.rcode, answer.address, refused], [16, null, null]);
});
