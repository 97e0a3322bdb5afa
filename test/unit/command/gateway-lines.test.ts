import test from "ava";
import { gatewayLines } from "../../../src/command/status.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

test("status says until when the appliance's certificate is good, and what is wrong with it", (t) => {
  const lines = (notAfter: number | null, problem: string | null): string[] =>
    gatewayLines({ gateway: "attached", ownCertificate: { notAfter, problem } }, NOW);
  t.deepEqual(lines(NOW + 1_000, null), [
    "gateway    running",
    "own cert.  good until 2026-11-22T12:00:01.000Z",
  ]);
  t.deepEqual(lines(NOW - 1_000, "away\u0007"), [
    "gateway    running",
    "own cert.  good only until 2026-11-22T11:59:59.000Z, and cannot be renewed",
    "problem    away\\u{7}",
  ]);
  t.deepEqual(lines(null, "no authority"), [
    "gateway    listens to nobody: it has no certificate of its own yet",
    "problem    no authority",
  ]);
  t.deepEqual(gatewayLines({ gateway: "away", ownCertificate: null }, NOW), [
    "gateway    away: nobody can connect",
  ]);
});
