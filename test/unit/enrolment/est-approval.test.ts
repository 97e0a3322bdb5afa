import test from "ava";
import { keyWords } from "../../../src/est/key-words.ts";
import { readRequest } from "../../../src/x509/index.ts";
import { certificateOf, EstBed, requestFor, subject } from "../../support/est-bed.ts";

const HOUR = 3_600_000;

async function withBed(body: (bed: EstBed) => Promise<void>): Promise<void> {
  const bed = await EstBed.open();
  try {
    await body(bed);
  } finally {
    await bed.close();
  }
}

test("a request without credentials waits, is shown with its key's words, and gets its certificate once it is approved", async (t) => {
  await withBed(async (bed) => {
    const { der } = await requestFor("alice", [{ uri: "urn:niac:device:laptop-7" }]);
    const path = "/.well-known/est/byod/simpleenroll";
    const first = await bed.enroll(der, null, { path });
    t.is(first.status, 202);
    t.is(first.headers["retry-after"], "15");
    const [waiting, ...more] = bed.service.waiting();
    t.deepEqual(more, []);
    t.like(waiting, {
      words: keyWords(readRequest(der).publicKeyInfo),
      subject: "CN=alice",
      names: ["urn:niac:device:laptop-7"],
      key: "p256",
      source: "127.0.0.1",
      tier: "byod",
    });
    const id = waiting?.id ?? "";
    t.regex(first.text, new RegExp(`approve ${id}`));
    t.is((await bed.enroll(der, null, { path })).status, 202, "it still waits");
    t.is(bed.service.waiting().length, 1);
    await bed.service.approve(id, subject("alice", { tier: "byod", device: "laptop-7" }), "operator");
    const got = await bed.enroll(der, null, { path });
    t.is(got.status, 200);
    t.is(certificateOf(got).subject, "CN=alice");
    const again = certificateOf(await bed.enroll(der, null, { path }));
    t.is(again.fingerprint256, certificateOf(got).fingerprint256);
    t.is(bed.issuer.issuedFor.length, 1);
    t.regex(bed.issuer.issuedFor[0]?.by ?? "", /^approval of request [0-9a-f]{8} by operator$/);
    t.is(bed.service.waiting().length, 0);
    t.true(bed.reasons.some((reason) => reason === `a request for a certificate waits for approval: ${id}`));
    t.true(bed.reasons.some((reason) => reason.startsWith(`operator approves request ${id} for alice`)));
  });
});

test("a request that was denied is told so, with the reason", async (t) => {
  await withBed(async (bed) => {
    const { der } = await requestFor("alice");
    await bed.enroll(der, null);
    const [{ id } = { id: "" }] = bed.service.waiting();
    await bed.service.deny(id, "nobody called about it", "operator");
    const got = await bed.enroll(der, null);
    t.is(got.status, 403);
    t.regex(got.text, /denied: nobody called about it/);
    await t.throwsAsync(bed.service.approve(id, subject("alice"), "operator"), { code: "no-request" });
  });
});

test("where the authority refuses what was approved the request still waits", async (t) => {
  await withBed(async (bed) => {
    const { der } = await requestFor("bob");
    await bed.enroll(der, null);
    const [{ id } = { id: "" }] = bed.service.waiting();
    await t.throwsAsync(bed.service.approve(id, subject("alice"), "operator"), { code: "name-refused" });
    t.is(bed.service.waiting().length, 1);
    t.is((await bed.enroll(der, null)).status, 202);
  });
});

test("two administrators who approve at once approve once", async (t) => {
  await withBed(async (bed) => {
    await bed.enroll((await requestFor("alice")).der, null);
    const [{ id } = { id: "" }] = bed.service.waiting();
    const both = await Promise.allSettled([
      bed.service.approve(id, subject("alice"), "operator"),
      bed.service.approve(id, subject("alice"), "operator-2"),
    ]);
    t.deepEqual(both.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    t.is(bed.issuer.issuedFor.length, 1);
  });
});

test("five requests of one source wait, and a hundred in all; more are told when to come back", async (t) => {
  await withBed(async (bed) => {
    const { der } = await requestFor("alice");
    for (let source = 1; source <= 20; source++) {
      const localAddress = `127.0.1.${source}`;
      for (let count = 0; count < 5; count++) {
        const fresh = await requestFor("alice");
        t.is((await bed.enroll(fresh.der, null, { localAddress })).status, 202);
      }
      const sixth = await bed.enroll(der, null, { localAddress });
      t.is(sixth.status, 503);
      t.regex(sixth.text, /^5 requests from/);
    }
    const beyond = await bed.enroll(der, null);
    t.is(beyond.status, 503);
    t.regex(beyond.text, /^100 requests wait/);
    t.is(beyond.headers["retry-after"], "300");
    t.is(bed.service.waiting().length, 100);
    bed.ahead = 25 * HOUR;
    t.is((await bed.enroll(der, null)).status, 202, "those that nobody asked for in a day are forgotten");
    t.is(bed.service.waiting().length, 1);
  });
});

test("where waiting is switched off a request without credentials is refused", async (t) => {
  await withBed(async (bed) => {
    t.true(await bed.service.setWaiting(null, "operator"));
    await bed.service.setWaiting(false, "operator");
    t.false(await bed.service.setWaiting(null, "operator"));
    const got = await bed.enroll((await requestFor("alice")).der, null);
    t.is(got.status, 401);
    t.regex(String(got.headers["www-authenticate"]), /^Basic /);
    t.is(bed.service.waiting().length, 0);
    await bed.service.setWaiting(true, "operator");
    t.is((await bed.enroll((await requestFor("alice")).der, null)).status, 202);
  });
});

test("a certificate that was revoked before it was fetched is not handed out", async (t) => {
  await withBed(async (bed) => {
    const { der } = await requestFor("alice");
    await bed.enroll(der, null);
    const [{ id } = { id: "" }] = bed.service.waiting();
    await bed.service.approve(id, subject("alice"), "operator");
    const { fingerprint256 } = certificateOf(await bed.enroll(der, null));
    await bed.issuer.revoke(fingerprint256.replaceAll(":", "").toLowerCase());
    t.is((await bed.enroll(der, null)).status, 403);
  });
});
