import test from "ava";
import { Circuit, FIRST_BACKOFF, LONGEST_BACKOFF } from "../../../src/machine/circuit.ts";

test("a machine that never failed is worth asking", (t) => {
  const circuit = new Circuit();
  t.is(circuit.state(0), "closed");
  t.is(circuit.failures, 0);
  t.is(circuit.lastError, null);
});

test("a failure opens it until the pause is over, to the millisecond", (t) => {
  const circuit = new Circuit();
  circuit.failed(1000, "refused", 1);
  t.is(circuit.state(1000), "open");
  t.is(circuit.state(1000 + FIRST_BACKOFF - 1), "open");
  t.is(circuit.state(1000 + FIRST_BACKOFF), "half-open");
  t.is(circuit.lastError, "refused");
});

test("the pause doubles from the first to the longest and no further", (t) => {
  const circuit = new Circuit();
  let pause = FIRST_BACKOFF;
  for (let failures = 1; failures <= 2000; failures++) {
    circuit.failed(0, `failure ${failures}`, 1);
    t.is(circuit.state(pause - 1), "open");
    t.is(circuit.state(pause), "half-open");
    pause = Math.min(pause * 2, LONGEST_BACKOFF);
  }
  t.is(circuit.failures, 2000);
  t.is(circuit.lastError, "failure 2000");
});

test("the spread takes at most a quarter off the pause", (t) => {
  for (const [spread, pause] of [
    [0, FIRST_BACKOFF * 0.75],
    [0.5, FIRST_BACKOFF * 0.875],
    [1, FIRST_BACKOFF],
  ] as const) {
    const circuit = new Circuit();
    circuit.failed(0, "refused", spread);
    t.is(circuit.state(pause - 0.1), "open");
    t.is(circuit.state(pause), "half-open");
  }
});

test("a success closes it and forgets the error and the pause", (t) => {
  const circuit = new Circuit();
  for (let i = 0; i < 5; i++) circuit.failed(0, "refused", 1);
  circuit.succeeded();
  t.is(circuit.state(0), "closed");
  t.is(circuit.lastError, null);
  circuit.failed(0, "again", 1);
  t.is(circuit.state(FIRST_BACKOFF), "half-open");
});
