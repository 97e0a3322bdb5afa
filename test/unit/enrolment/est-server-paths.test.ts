import test from "ava";
import { readPath } from "../../../src/enrolment/est-server-paths.ts";

test("operations with and without a label", (t) => {
  t.deepEqual(readPath("GET", "/.well-known/est/cacerts"), {
    what: "est",
    operation: "cacerts",
    label: null,
  });
  t.deepEqual(readPath("POST", "/.well-known/est/byod/simpleenroll"), {
    what: "est",
    operation: "simpleenroll",
    label: { tier: "byod", tenant: null },
  });
  t.deepEqual(readPath("POST", "/.well-known/est/contractor.acme-1/simplereenroll"), {
    what: "est",
    operation: "simplereenroll",
    label: { tier: "contractor", tenant: "acme-1" },
  });
  t.deepEqual(readPath("GET", "/crl/managed-3.crl"), { what: "crl", authority: "managed-3" });
});

for (const path of [
  "",
  "*",
  "/.well-known/est",
  "/.well-known/est/",
  "/.well-known/est//cacerts",
  "/.well-known/est/cacerts/",
  "/.well-known/est/CACERTS",
  "/.well-known/est/managed/byod/cacerts",
  "/.well-known/est/Managed/cacerts",
  "/.well-known/est/managed./cacerts",
  "/.well-known/est/managed.a%20b/cacerts",
  "/.well-known/est/gold/cacerts",
  "/.well-known/est/cacerts?x=1",
  "/.well-known/est/serverkeygen",
  "/crl/.crl",
  "/crl/a/b.crl",
  "/crl/..%2f.crl",
  "http://box/.well-known/est/cacerts",
]) {
  test(`nothing is at ${JSON.stringify(path)}`, (t) => {
    t.like(readPath("GET", path), { what: "refused", status: 404 });
  });
}

test("a path takes one method, and says which", (t) => {
  t.like(readPath("POST", "/.well-known/est/cacerts"), { what: "refused", status: 405, allow: "GET" });
  t.like(readPath("GET", "/.well-known/est/simpleenroll"), { what: "refused", status: 405, allow: "POST" });
  t.like(readPath("POST", "/"), { what: "refused", status: 405, allow: "GET" });
  t.like(readPath("GET", "/.well-known/niac/posture"), { what: "refused", status: 405, allow: "POST" });
});
