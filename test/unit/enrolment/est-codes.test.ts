import test from "ava";
import { UnavailableError, PeerError } from "../../../src/base/index.ts";
import { basic, certificateOf, EstBed, requestFor, subject } from "../../support/est-bed.ts";

const HOUR = 3_600_000;
const at = (label: string) => ({ path: `/.well-known/est/${label}/simpleenroll` });
const WRONG = /do not go together, or the code has expired or was used/;

async function withBed(body: (bed: EstBed) => Promise<void>): Promise<void> {
  const bed = await EstBed.open();
  try {
    await body(bed);
  } finally {
    await bed.close();
  }
}

test("a code gives its user one certificate, with what the code says and not what the request says", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice", { groups: ["line 4"] }), HOUR, "operator");
    t.regex(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    const { der } = await requestFor("alice");
    const got = await bed.enroll(der, basic("alice", code));
    t.is(got.status, 200);
    t.is(got.headers["content-type"], "application/pkcs7-mime; smime-type=certs-only");
    t.is(certificateOf(got).subject, "CN=alice");
    t.is(bed.issuer.issuedFor.length, 1);
    t.like(bed.issuer.issuedFor[0], { subject: { user: "alice", groups: ["line 4"] } });
    t.regex(bed.issuer.issuedFor[0]?.by ?? "", /^one-time code \d+ of operator$/);
  });
});

test("as typed by a person, a code is the same: small letters, no hyphens, O for 0 and I or L for 1", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const typed = code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l");
    t.is((await bed.enroll((await requestFor("alice")).der, basic("alice", typed))).status, 200);
  });
});

test("the same key and code again are answered with the same certificate, for ten minutes", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), 24 * HOUR, "operator");
    const { der } = await requestFor("alice");
    const first = certificateOf(await bed.enroll(der, basic("alice", code)));
    bed.ahead = 9 * 60_000;
    const again = certificateOf(await bed.enroll(der, basic("alice", code)));
    t.is(again.fingerprint256, first.fingerprint256);
    bed.ahead = 11 * 60_000;
    t.is((await bed.enroll(der, basic("alice", code))).status, 401);
    t.is(bed.issuer.issuedFor.length, 1);
  });
});

test("a certificate that was revoked meanwhile is not handed out again", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const { der } = await requestFor("alice");
    const { fingerprint256 } = certificateOf(await bed.enroll(der, basic("alice", code)));
    await bed.issuer.revoke(fingerprint256.replaceAll(":", "").toLowerCase());
    const again = await bed.enroll(der, basic("alice", code));
    t.is(again.status, 403);
    t.regex(again.text, /revoked or has ended/);
  });
});

test("wrong code, wrong user, used code, expired code and no code at all are answered alike; the record tells them apart", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const used = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    await bed.enroll((await requestFor("alice")).der, basic("alice", used.code));
    const { der } = await requestFor("alice");
    const answers = [
      await bed.enroll(der, basic("alice", "0000-0000-0000-0000")),
      await bed.enroll(der, basic("bob", code)),
      await bed.enroll(der, basic("alice", used.code)),
      await bed.enroll(der, basic("alice", "x")),
      await bed.enroll(der, "Basic !!!"),
      await bed.enroll(der, "Digest a"),
    ];
    bed.ahead = 2 * HOUR;
    answers.push(await bed.enroll(der, basic("alice", code)));
    for (const { status, text, headers } of answers) {
      t.is(status, 401);
      t.regex(text, WRONG);
      t.is(text, answers[0]?.text ?? "");
      t.regex(String(headers["www-authenticate"]), /^Basic /);
    }
    t.is(bed.issuer.issuedFor.length, 1);
    const denials = bed.records.filter(({ decision }) => decision === "denial");
    t.true(denials.some(({ reason }) => reason?.includes("was used before, for another key") === true));
    t.true(denials.some(({ reason }) => reason?.includes("no such code for this user") === true));
    t.false(JSON.stringify(bed.records).includes(code), "no code is on record");
  });
});

test("of two clients that race with one code, exactly one gets a certificate", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const go = Promise.withResolvers<void>();
    bed.issuer.pause = go.promise;
    const requests = await Promise.all(Array.from({ length: 6 }, () => requestFor("alice")));
    const racing = requests.map(({ der }) => bed.enroll(der, basic("alice", code)));
    const refused = await Promise.race(racing);
    t.is(refused.status, 401);
    go.resolve();
    const statuses = (await Promise.all(racing))
      .map(({ status }) => status)
      .toSorted((one, other) => one - other);
    t.deepEqual(statuses, [200, 401, 401, 401, 401, 401]);
    t.is(bed.issuer.issuedFor.length, 1);
  });
});

test("two connections of one client with one key and one code get one certificate", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const { der } = await requestFor("alice");
    const both = await Promise.all([1, 2, 3].map(() => bed.enroll(der, basic("alice", code))));
    const prints = new Set(both.map((got) => certificateOf(got).fingerprint256));
    t.is(prints.size, 1);
    t.is(bed.issuer.issuedFor.length, 1);
  });
});

test("where issuing fails the code is not used up", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const { der } = await requestFor("alice");
    bed.issuer.failure = new UnavailableError("away", "the authority is away");
    const away = await bed.enroll(der, basic("alice", code));
    t.is(away.status, 503);
    t.is(away.headers["retry-after"], "30");
    bed.issuer.failure = new PeerError("weak-key", "the key is too small", "Make a P-256 key.");
    const weak = await bed.enroll(der, basic("alice", code));
    t.is(weak.status, 400);
    t.is(weak.text, "the key is too small.\nMake a P-256 key.\n");
    t.is(bed.service.openCodes().length, 1);
    t.is((await bed.enroll((await requestFor("alice")).der, basic("alice", code))).status, 200);
    t.is(bed.service.openCodes().length, 0);
  });
});

test("a fault of niac's own is 500, says nothing of itself to the client, and leaves the code open", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    bed.issuer.failure = new TypeError("secret detail");
    const got = await bed.enroll((await requestFor("alice")).der, basic("alice", code));
    t.is(got.status, 500);
    t.notRegex(got.text, /secret/);
    t.is(bed.faults.length, 1);
    t.is(bed.service.openCodes().length, 1);
  });
});

test("failed attempts are limited by source: 429 with Retry-After, even for a good code; other sources go on", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const { der } = await requestFor("alice");
    for (let failed = 0; failed < 10; failed++) {
      t.is((await bed.enroll(der, basic("alice", `wrong-${failed}`))).status, 401);
    }
    const limited = await bed.enroll(der, basic("alice", code));
    t.is(limited.status, 429);
    t.true(Number(limited.headers["retry-after"]) > 0);
    const other = { localAddress: "127.0.0.9" };
    t.is((await bed.enroll(der, basic("alice", code), other)).status, 200);
    t.is((await bed.enroll(der, basic("alice", code))).status, 429, "a success elsewhere gives none back");
    bed.ahead = 61_000;
    t.is((await bed.enroll(der, basic("alice", code))).status, 200, "one comes back after a minute");
  });
});

test("a code is good at the path of its own tier and tenant, or at the one without a label", async (t) => {
  await withBed(async (bed) => {
    const until = Date.now() + 24 * HOUR;
    const { code } = await bed.service.makeCode(
      subject("bob", { tier: "contractor", until }),
      HOUR,
      "operator",
    );
    const { der } = await requestFor("bob");
    const wrong = await bed.enroll(der, basic("bob", code), at("managed"));
    t.is(wrong.status, 403);
    t.regex(wrong.text, /for contractor, and the path says managed/);
    t.is((await bed.enroll(der, basic("bob", code), at("contractor.acme"))).status, 403);
    t.is((await bed.enroll(der, basic("bob", code), at("contractor"))).status, 200);
  });
});

test("a code that was withdrawn is worthless; one that was never made cannot be withdrawn", async (t) => {
  await withBed(async (bed) => {
    const { id, code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    t.like(bed.service.openCodes()[0], { id, by: "operator", subject: { user: "alice" } });
    await bed.service.withdraw(id, "operator");
    t.is((await bed.enroll((await requestFor("alice")).der, basic("alice", code))).status, 401);
    await t.throwsAsync(bed.service.withdraw(id, "operator"), { code: "no-code" });
    t.true(bed.reasons.some((reason) => reason.startsWith(`operator withdraws one-time code ${id}`)));
  });
});

test("codes for nobody are not made: contractors without an end, ends that passed, names that cannot be, tiers without an authority", async (t) => {
  await withBed(async (bed) => {
    const make = (...[user, more]: Parameters<typeof subject>) =>
      bed.service.makeCode(subject(user, more), HOUR, "operator");
    await t.throwsAsync(make("bob", { tier: "contractor" }), { code: "until-required" });
    await t.throwsAsync(make("bob", { until: Date.now() - 1 }), { code: "until-past" });
    await t.throwsAsync(make("b\nob"), { code: "user-name" });
    await t.throwsAsync(make("b".repeat(65)), { code: "user-name" });
    await t.throwsAsync(make(" bob"), { code: "user-name" });
    await t.throwsAsync(make("bob", { device: "" }), { code: "device-name" });
    await t.throwsAsync(make("bob", { groups: ["\u{202e}x"] }), { code: "group-name" });
    await t.throwsAsync(make("bob", { tenant: "acme" }), { code: "no-authority" });
    await t.throwsAsync(bed.service.makeCode(subject("bob"), 31 * 24 * HOUR, "operator"), {
      code: "code-valid",
    });
    t.is(bed.service.openCodes().length, 0);
  });
});

test("a clock set back makes no expired code good: the latest time known counts", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    bed.floor = Date.now() + 2 * HOUR;
    bed.ahead = -24 * HOUR;
    t.is((await bed.enroll((await requestFor("alice")).der, basic("alice", code))).status, 401);
  });
});

test("nobody gets a certificate while a lock holds", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const { der } = await requestFor("alice");
    bed.locked = "user alice is locked: laptop stolen";
    const locked = await bed.enroll(der, basic("alice", code));
    t.is(locked.status, 403);
    t.regex(locked.text, /laptop stolen/);
    bed.locked = null;
    t.is((await bed.enroll(der, basic("alice", code))).status, 200);
  });
});

test("what is in the database is no code and leads to none", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const rows = JSON.stringify(bed.db.prepare("SELECT * FROM enrolment_codes").all());
    t.false(rows.includes(code) || rows.includes(code.replaceAll("-", "")));
    const settings = bed.db.prepare<[], { value: Buffer }>("SELECT value FROM enrolment_settings").all();
    t.is(settings.length, 1);
    t.true((settings[0]?.value.length ?? 0) > 32, "the key is sealed");
  });
});
