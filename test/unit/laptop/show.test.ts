import test from "ava";
import { Live, trafficTable } from "../../../src/laptop/show.ts";

const SERVICE = { machine: "press-4", service: "modbus", protocol: "modbus-tcp", port: 502, description: "" };

function screen(columns: number, rows: number) {
  const written: string[] = [];
  return { written, write: (text: string) => written.push(text), size: () => ({ columns, rows }) };
}

test("a line a service: connections, bytes each way, the last error", (t) => {
  const traffic = { open: 1, total: 3, sent: 999, received: 1500, lastError: "the appliance is away" };
  t.deepEqual(trafficTable([{ service: SERVICE, traffic }]), [
    "SERVICE         OPEN    SENT   RECEIVED  LAST ERROR",
    "press-4/modbus  1 of 3  999 B  1.5 kB    the appliance is away",
  ]);
});

test("a live table is drawn over itself, and only where it changed", (t) => {
  const to = screen(80, 24);
  const live = new Live(to);
  live.draw(["a", "b"]);
  live.draw(["a", "b"]);
  live.draw(["a", "c"]);
  t.deepEqual(to.written, ["a\nb\n", "\u001b[2F\u001b[Ja\nc\n"]);
});

test("what does not fit into the window is cut, so that the count of lines to go back holds", (t) => {
  const to = screen(10, 3);
  const live = new Live(to);
  live.draw(["0123456789", "b", "c", "d"]);
  live.draw(["x"]);
  t.deepEqual(to.written, ["012345678\nb\n", "\u001b[2F\u001b[Jx\n"]);
});
