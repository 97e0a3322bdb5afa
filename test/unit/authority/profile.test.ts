import test from "ava";
import * as fc from "fast-check";
import { canonicalUri, laptopUris, validityOf } from "../../../src/authority/profile.ts";
import { type Subject, TIERS } from "../../../src/authority/index.ts";
import { isRefusal, readIdentity } from "../../../src/identity/index.ts";
import { UNSEEN } from "../../../src/x509/index.ts";
import { ALICE, asked, DAY, initialised } from "./plant-bed.ts";

/** Names as people have them and as nobody should: percent signs, colons, slashes, other scripts, emoji. */
const name = (most: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: "binary", minLength: 1, maxLength: most })
    .map((text) => text.normalize("NFC").trim())
    .filter(
      (text) =>
        text !== "" &&
        Array.from(text).length <= most &&
        !UNSEEN.test(text) &&
        text.normalize("NFC") === text,
    );

const subjects: fc.Arbitrary<Subject> = fc.record({
  tier: fc.constantFrom(...TIERS),
  tenant: fc.constant(null),
  user: name(64),
  device: name(40),
  groups: fc.array(name(20), { maxLength: 6 }),
  role: fc.option(name(30)),
  until: fc.constant(4_000_000_000_000),
});

test("identity reads back exactly what was asked for", async (t) => {
  const bed = await initialised(t);
  const { request } = await asked();
  await fc.assert(
    fc.asyncProperty(subjects, async (subject) => {
      const { certificate } = await bed.plant.issue(request, subject, "admin");
      const read = readIdentity(
        { leaf: certificate, authorized: true, authorizationError: null },
        bed.time.now,
      );
      if (isRefusal(read)) throw new Error(read.reason);
      const { user, device, groups, role, tier } = read;
      t.deepEqual(
        { user, device, groups, role, tier },
        {
          user: subject.user,
          device: subject.device,
          groups: [...new Set(subject.groups)].toSorted(),
          role: subject.role,
          tier: subject.tier,
        },
      );
    }),
    { numRuns: 150 },
  );
});

test("whatever text somebody is called by is either read back the same or refused, never another", async (t) => {
  const bed = await initialised(t);
  const { request } = await asked();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 70 }), async (user) => {
      try {
        const { certificate } = await bed.plant.issue(request, { ...ALICE, user }, "admin");
        const read = readIdentity(
          { leaf: certificate, authorized: true, authorizationError: null },
          bed.time.now,
        );
        t.like(read, { user });
      } catch (error) {
        t.regex(
          String(Reflect.get(Object(error), "code")),
          /^(?:subject-refused|name-length|text|subject-text)$/,
        );
      }
    }),
    { numRuns: 150 },
  );
});

const NOBODY: readonly (readonly [what: string, subject: Partial<Subject>, code: string])[] = [
  ["a name of line breaks", { user: "alice\nbob" }, "subject-refused"],
  ["a name that turns the text's direction", { user: "alice\u202e" }, "subject-refused"],
  ["a user of 65 letters", { user: "a".repeat(65) }, "name-length"],
  ["no user", { user: "" }, "name-length"],
  ["no device", { device: "" }, "subject-refused"],
  ["half a character", { device: "laptop\ud800" }, "subject-text"],
  ["a device that ends with a space", { device: "laptop-7 " }, "subject-refused"],
  ["65 groups", { groups: Array.from({ length: 65 }, (_, at) => `group-${at}`) }, "subject-refused"],
  ["an empty role", { role: "" }, "subject-refused"],
  ["a contractor without an end", { tier: "contractor" }, "until-required"],
  ["an end that is past", { until: 1_000 }, "until-past"],
  ["a tenant nobody made", { tenant: "acme" }, "no-tenant"],
];

for (const [what, subject, code] of NOBODY) {
  test(`nobody gets a certificate with ${what}`, async (t) => {
    const bed = await initialised(t);
    const { request } = await asked();
    await t.throwsAsync(bed.plant.issue(request, { ...ALICE, ...subject }, "admin"), { code });
    t.deepEqual(bed.plant.store.all({}, 10), []);
  });
}

test("each tier has its life, and nothing outlives its end date or its authority", async (t) => {
  const bed = await initialised(t);
  const { request } = await asked();
  const lifeOf = async (subject: Partial<Subject>): Promise<number> =>
    (await bed.plant.issue(request, { ...ALICE, ...subject }, "admin")).notAfter - second(bed.time.now);
  const end = second(bed.time.now) + 200 * DAY;
  t.is(await lifeOf({}), 90 * DAY);
  t.is(await lifeOf({ tier: "byod" }), 30 * DAY);
  t.is(await lifeOf({ tier: "contractor", until: end }), 30 * DAY);
  t.is(await lifeOf({ tier: "contractor", until: end - 195 * DAY }), 5 * DAY);
  t.is(await lifeOf({ until: end - 199 * DAY }), DAY);
  const authority = bed.plant.store.standing("issuing").find(({ tier }) => tier === "managed");
  const last = authority?.notAfter ?? 0;
  bed.time.now = last - DAY;
  t.is((await bed.plant.issue(request, ALICE, "admin")).notAfter, last);
});

function second(time: number): number {
  return Math.floor(time / 1000) * 1000;
}

test("validity begins a little before now, in whole seconds", (t) => {
  t.deepEqual(validityOf(1_000_000_400, 5_700, [null]), { notBefore: 999_700_000, notAfter: 1_000_006_000 });
  t.deepEqual(validityOf(1_000_000_400, 5_700, [1_000_002_999, 2_000_000_000]), {
    notBefore: 999_700_000,
    notAfter: 1_000_002_000,
  });
});

test("a URI has one way to be written", (t) => {
  t.deepEqual(laptopUris({ ...ALICE, device: "a b%ü", groups: ["x/y"] }), [
    "urn:niac:device:a%20b%25%C3%BC",
    "urn:niac:tier:managed",
    "urn:niac:group:x%2Fy",
  ]);
  t.is(canonicalUri("URN:Niac:group:x/y"), "urn:niac:group:x%2Fy");
  for (const other of [
    "urn:niac:Group:x",
    "urn:niac:group:",
    "urn:niac:group:%zz",
    "http://x/",
    "urn:other:group:x",
  ]) {
    t.is(canonicalUri(other), other);
  }
});
