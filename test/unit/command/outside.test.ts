import test from "ava";
import { outsideLines } from "../../../src/command/outside.ts";
import type { OutsideView } from "../../../src/link/index.ts";

const NOW = 1_780_000_000_000;
const HOUR = 3_600_000;
const VIEW: OutsideView = {
  name: "partner",
  revocation: "crl",
  lists: [],
  fetch: null,
  responder: null,
  trouble: null,
  weakening: null,
  grace: null,
};

test("a site without outside authorities says so", (t) => {
  t.deepEqual(outsideLines([], NOW), ["The site document names no outside authorities."]);
});

test("each list has a line, and what is to be seen to stands below in words", (t) => {
  const list = {
    of: "partner",
    number: "12",
    thisUpdate: NOW - HOUR,
    nextUpdate: NOW + 5 * HOUR,
    entries: 3,
    changes: 0,
    received: NOW - HOUR,
    by: "fetched",
  };
  const root = { ...list, of: "CN=Partner Root", number: null, entries: 0, changes: 2, by: "alice" };
  const views: OutsideView[] = [
    { ...VIEW, lists: [list, root], trouble: "the server answers 500" },
    { ...VIEW, name: "guests", revocation: "unchecked", weakening: "certificates are not checked" },
    {
      ...VIEW,
      name: "vendor",
      revocation: "ocsp",
      responder: { answered: NOW - 120_000, problem: null },
      grace: '"night" lets maintenance in',
    },
  ];
  t.deepEqual(outsideLines(views, NOW), [
    "AUTHORITY  CHECKED BY  LIST OF          NUMBER  REVOKED       GOOD UNTIL            LAST HEARD",
    "partner    crl         partner          12      3             2026-05-29 01:26 UTC  60 min ago, fetched",
    "                       CN=Partner Root  none    0, 2 changes  2026-05-29 01:26 UTC  60 min ago, alice",
    "guests     nothing     -                -       -             -                     never",
    "vendor     ocsp        -                -       -             -                     2 min ago",
    "",
    "partner: the server answers 500",
    "guests: certificates are not checked",
    'vendor: the grace "night" lets maintenance in',
  ]);
});
