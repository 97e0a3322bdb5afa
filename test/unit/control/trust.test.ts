import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { UnavailableError } from "../../../src/base/index.ts";
import { TrustStore } from "../../../src/control/trust-store.ts";
import { TrustKeeper } from "../../../src/control/trust.ts";
import type { PostureReport } from "../../../src/link/index.ts";
import { Bed } from "./site.ts";

const GOOD = { diskEncryption: true, edr: null, os: null };
const BAD = { ...GOOD, diskEncryption: false };

function away(): UnavailableError {
  return new UnavailableError("gateway-away", "the gateway is away", "Wait.");
}

/** Control's part, while the gateway is away. */
function keeper(t: ExecutionContext, bed: Bed): TrustKeeper {
  const made = new TrustKeeper({
    store: new TrustStore(bed.db),
    audit: bed.audit,
    clock: bed.clock,
    log: pino({ level: "silent" }),
    site: () => bed.site.snapshot,
    authorities: () => [],
    sources: [],
    gateway: { attached: false, call: () => Promise.reject(away()), notify: () => {} },
    netd: () => Promise.resolve(null),
  });
  t.teardown(() => made.close());
  return made;
}

function report(made: number, more: Partial<PostureReport> = {}): PostureReport {
  const of = { device: "laptop-7", authority: null, tenant: null, by: "laptop" };
  return { ...of, made, received: made, facts: GOOD, ...more };
}

/** One name: the plant's, a tenant's of the plant's authority, another authority's, and one that a management system looks after. */
const NAMESAKES: readonly Partial<PostureReport>[] = [
  {},
  { tenant: "acme" },
  { authority: "corporate" },
  { authority: "corporate", tenant: "acme" },
  { authority: "acme" },
  { by: "mdm-1" },
];

test("laptops of one name each have their report, which outlasts a restart", async (t) => {
  const bed = Bed.open(t);
  const now = bed.clock.time;
  const trust = keeper(t, bed);
  for (const [place, more] of NAMESAKES.entries()) await trust.report(report(now - place, more));
  for (const [place, more] of NAMESAKES.entries()) {
    const facts = place % 2 === 0 ? GOOD : BAD;
    await trust.report(report(now - place + 10, { ...more, received: now + 10, facts }));
  }
  const kept = NAMESAKES.map((more, place) =>
    report(now - place + 10, { ...more, received: now + 10, facts: place % 2 === 0 ? GOOD : BAD }),
  );
  const again = keeper(t, bed.again(t));
  for (const each of [trust, again]) {
    t.is(each.state().postures.length, NAMESAKES.length);
    for (const one of kept) t.deepEqual(each.reportOf(one), one);
  }
});

test("the record says whose laptop it is", async (t) => {
  const bed = Bed.open(t);
  const trust = keeper(t, bed);
  for (const more of NAMESAKES) await trust.report(report(bed.clock.time, more));
  const records = bed.audit.read({ limit: 100 }).filter(({ kind }) => kind === "trust");
  t.deepEqual(
    records.map(({ reason }) => /^report by (.*): operating/.exec(reason ?? "")?.[1]),
    [
      "laptop-7",
      "laptop-7 (tenant acme)",
      "laptop-7 (authority corporate)",
      "laptop-7 (authority corporate, tenant acme)",
      "laptop-7 (authority acme)",
      "mdm-1 of laptop-7",
    ],
  );
  t.deepEqual(records[3]?.detail, {
    action: "posture",
    device: "laptop-7",
    signer: "laptop",
    authority: "corporate",
    tenant: "acme",
  });
});

test("of two reports at once the newer one stays, in whichever order they are recorded", async (t) => {
  const bed = Bed.open(t);
  const now = bed.clock.time;
  const trust = keeper(t, bed);
  const [older, newer] = [report(now - 1), report(now, { facts: BAD })];
  await trust.report(report(now - 5, { facts: BAD }));
  // What says something new waits for its record; what does not is known at once.
  await Promise.all([trust.report(older), trust.report(newer)]);
  t.deepEqual(trust.reportOf(older), newer);
  t.deepEqual(new TrustStore(bed.db).postures(), [newer]);
  await Promise.all([
    trust.report(report(now + 2, { received: now + 3 })),
    trust.report(report(now + 1, { received: now + 3 })),
  ]);
  t.is(trust.reportOf(newer)?.made, now + 2);
});
