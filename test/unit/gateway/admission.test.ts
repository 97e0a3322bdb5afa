import test from "ava";
import { Admission } from "../../../src/gateway/admission.ts";

const LIMITS = { connections: 3, connectionsPerSource: 2 };

test("connections are let in up to the limit, and again when one leaves", (t) => {
  const admission = new Admission();
  for (const source of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) t.is(admission.enter(source, LIMITS), null);
  t.is(admission.enter("10.0.0.4", LIMITS), "the appliance has 3 connections open, its limit");
  t.is(admission.total, 3);
  admission.leave("10.0.0.2");
  t.is(admission.enter("10.0.0.4", LIMITS), null);
});

test("one source is let in up to its own limit, others still are", (t) => {
  const admission = new Admission();
  t.is(admission.enter("10.0.0.1", LIMITS), null);
  t.is(admission.enter("10.0.0.1", LIMITS), null);
  t.is(admission.enter("10.0.0.1", LIMITS), "10.0.0.1 has 2 connections open, the limit for one source");
  t.is(admission.enter("10.0.0.2", LIMITS), null);
  admission.leave("10.0.0.1");
  t.is(admission.enter("10.0.0.1", LIMITS), null);
});

test("who was turned away owes nothing and holds nothing", (t) => {
  const admission = new Admission();
  for (let i = 0; i < 100; i++) admission.enter("10.0.0.1", LIMITS);
  t.is(admission.total, 2);
  admission.leave("10.0.0.1");
  admission.leave("10.0.0.1");
  t.is(admission.total, 0);
  t.is(admission.enter("10.0.0.1", LIMITS), null);
});

test("a lowered limit holds for who comes next", (t) => {
  const admission = new Admission();
  t.is(admission.enter("10.0.0.1", LIMITS), null);
  t.is(admission.enter("10.0.0.1", LIMITS), null);
  t.truthy(admission.enter("10.0.0.2", { connections: 1, connectionsPerSource: 1 }));
});
