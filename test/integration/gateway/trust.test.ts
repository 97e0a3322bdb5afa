import { X509Certificate } from "node:crypto";
import type { RevocationSource } from "../../../src/control/trust.ts";
import type {
  CertificateInUse,
  IssuingAuthority,
  PostureReport,
  RevocationVerdict,
} from "../../../src/link/index.ts";
import type { Appliance } from "../../support/appliance.ts";
import { FakedClock } from "../../support/faked-clock.ts";
import type { ModbusClient } from "../../support/modbus-client.ts";
import { until } from "../../support/processes.ts";
import { pressSite } from "../../support/sites.ts";
import { PymodbusMachine, testWith } from "../../support/tools.ts";
import type { Credential } from "../../support/pki.ts";
import { SClient } from "../../support/s-client.ts";
import { TrustBed } from "./trust-bed.ts";

const FINE: RevocationVerdict = { refusal: null, grace: null };

function fingerprintOf({ certPem }: Credential): string {
  return new X509Certificate(certPem).fingerprint256.replaceAll(":", "").toLowerCase();
}

/** Knows what it was told, and can be slow to say so. */
class Revocations implements RevocationSource {
  readonly revoked = new Set<string>();
  readonly grace = new Map<string, string>();
  readonly asked: CertificateInUse[] = [];
  hold: Promise<void> | null = null;
  /** Certificates whose answer never comes. */
  readonly mute = new Set<string>();

  async check(certificate: CertificateInUse): Promise<RevocationVerdict> {
    const { fingerprint } = certificate;
    this.asked.push(certificate);
    const verdict = this.#verdict(fingerprint);
    if (this.mute.has(fingerprint)) await new Promise<never>(() => {});
    await this.hold;
    return verdict;
  }

  #verdict(fingerprint: string): RevocationVerdict {
    if (!this.revoked.has(fingerprint)) return { ...FINE, grace: this.grace.get(fingerprint) ?? null };
    const refusal = {
      code: "revoked",
      reason: "The certificate is revoked: stolen.",
      advice: "Enrol.",
    } as const;
    return { refusal, grace: null };
  }
}

function listed({ root }: Appliance, tier: string): readonly IssuingAuthority[] {
  const certificate = root.certPem;
  const fingerprint = new X509Certificate(certificate).fingerprint256.replaceAll(":", "").toLowerCase();
  return [{ name: "acme-ca", certificate, fingerprint, tenant: "acme", tier, outside: true }];
}

async function answers(client: ModbusClient): Promise<boolean> {
  return (await client.read(10)).exception === 0;
}

testWith("pymodbus")(
  "what is revoked ends at once and is refused by name; nobody else notices",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const source = new Revocations();
    const bed = await TrustBed.start(t, { site: pressSite(machine.port), sources: [source] });
    const [alice, bob] = [
      bed.appliance.root.client({ cn: "alice", ou: ["maintenance"] }),
      bed.appliance.root.client({ cn: "bob", ou: ["maintenance"] }),
    ];
    const [one, two, other] = [await bed.open(alice), await bed.open(alice), await bed.open(bob)];
    for (const client of [one, two, other]) t.true(await answers(client));
    t.is(source.asked[0]?.fingerprint, fingerprintOf(alice));
    t.is(source.asked[0]?.serialNumber, new X509Certificate(alice.certPem).serialNumber.toLowerCase());

    source.mute.add(fingerprintOf(bob));
    source.revoked.add(fingerprintOf(alice));
    void bed.keeper.recheck();
    await until(() => one.ended && two.ended, "both sessions to end, though another's answer never comes");
    source.mute.clear();
    t.true(await answers(other));
    t.is(await bed.exceptionOf(alice), null, "it is not connected at all");
    const ends = await bed.recorded(2, ({ kind }) => kind === "session.end");
    t.is(ends.length, 2);
    for (const end of ends) {
      t.like(end, {
        stage: "certificate",
        decision: "denial",
        reason: "The certificate is revoked: stolen.",
      });
      t.is(end.identity?.user, "alice");
    }
    const [refused] = await bed.recorded(1, ({ kind }) => kind === "session.refused");
    t.like(refused, { stage: "certificate", identity: { user: "alice" }, detail: { code: "revoked" } });
  },
);

testWith("pymodbus")(
  "a certificate revoked between the question and the session's begin opens nothing",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const source = new Revocations();
    const bed = await TrustBed.start(t, { site: pressSite(machine.port), sources: [source] });
    const alice = bed.appliance.root.client({ cn: "alice", ou: ["maintenance"] });
    const gate = Promise.withResolvers<void>();
    source.hold = gate.promise;
    const client = await bed.open(alice);
    await until(() => source.asked.length === 1, "the question");
    // It was looked at as good; its answer is under way.
    source.revoked.add(fingerprintOf(alice));
    source.hold = null;
    t.is(await bed.keeper.recheck(), 1);
    gate.resolve();
    await t.throwsAsync(client.read(10));
    t.is((await machine.heard()).length, 0);
    const [end] = await bed.recorded(1, ({ kind }) => kind === "session.end");
    t.like(end, { stage: "certificate", decision: "denial", duration: 0 });
  },
);

testWith("pymodbus")(
  "a grace is on the session's record; a directory query is asked about, and on record, too",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const source = new Revocations();
    const bed = await TrustBed.start(t, { site: pressSite(machine.port), sources: [source] });
    const alice = bed.appliance.root.client({ cn: "alice", ou: ["maintenance"] });
    source.grace.set(fingerprintOf(alice), "its list is overdue since 10:00; grace night-shift until 18:00");
    t.is(await bed.exceptionOf(alice), 0);
    const [start] = await bed.recorded(1, ({ kind }) => kind === "session.start");
    t.is(start?.detail?.["grace"], "its list is overdue since 10:00; grace night-shift until 18:00");

    const directory = async (): Promise<string> => {
      const client = new SClient(t, bed.appliance, {
        credential: alice,
        serverName: null,
        port: bed.appliance.servicesPort,
        args: ["-alpn", "niac-directory"],
      });
      return client.closed();
    };
    t.regex(await directory(), /"machine":"press-4"/);
    const [looked] = await bed.recorded(1, ({ kind }) => kind === "directory");
    t.like(looked, { decision: "permit", identity: { user: "alice" } });
    source.revoked.add(fingerprintOf(alice));
    t.notRegex(await directory(), /press-4"/);
    t.like((await bed.recorded(1, ({ kind }) => kind === "session.refused"))[0], {
      detail: { code: "revoked" },
    });
  },
);

const HOUR = 3_600_000;
const POSTURE = `posture:
  healthy: { maxAge: 8h, diskEncryption: true }
`;

function report(
  facts: Partial<PostureReport["facts"]>,
  made = Date.now(),
  of: Partial<PostureReport> = {},
): PostureReport {
  const all = { diskEncryption: null, edr: null, os: null, ...facts };
  return {
    device: "laptop-7",
    authority: null,
    tenant: null,
    by: "laptop",
    made,
    received: Date.now(),
    facts: all,
    ...of,
  };
}

testWith("pymodbus")(
  "a posture that fails ends the session, and the next good report lets it come back",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const site = pressSite(machine.port, { grant: "posture: healthy", more: POSTURE });
    const bed = await TrustBed.start(t, { site });
    const laptop = bed.appliance.root.client({
      cn: "alice",
      ou: ["maintenance"],
      sanUris: ["urn:niac:device:laptop-7"],
    });
    t.is(await bed.exceptionOf(laptop), 1, "without a report");
    await bed.keeper.report(report({ diskEncryption: true }));
    const client = await bed.open(laptop);
    t.true(await answers(client));
    await bed.keeper.report(report({ diskEncryption: true }, Date.now() - 1));
    t.true(await answers(client), "an older report says nothing new");
    await bed.keeper.report(report({ diskEncryption: false }));
    await until(() => client.ended, "the session to end");
    t.is(await bed.exceptionOf(laptop), 1);
    await bed.keeper.report(report({ diskEncryption: true }, Date.now()));
    const back = await bed.open(laptop);
    t.true(await answers(back));

    const [end] = await bed.recorded(1, ({ kind }) => kind === "session.end");
    t.like(end, { stage: "posture", decision: "denial", rule: "maintenance-runs-press" });
    t.regex(end?.reason ?? "", /only from a laptop that meets "healthy": its disk is not encrypted/);
    const reports = await bed.recorded(3, ({ kind }) => kind === "trust");
    t.deepEqual(
      reports.map(({ reason }) => /disk [a-z ]+/.exec(reason ?? "")?.[0]),
      ["disk encrypted", "disk not encrypted", "disk encrypted"],
      "a report that says what the one before said is not on record again",
    );
  },
);

/** Whose laptop-7 it is not. */
const NAMESAKES: readonly Partial<PostureReport>[] = [
  {},
  { tenant: "acme" },
  { authority: "acme-ca" },
  { authority: "acme", tenant: "acme" },
];

testWith("pymodbus")(
  "a namesake's report opens nothing and ends nothing: the plant's laptop-7 is not another authority's",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const site = pressSite(machine.port, { grant: "posture: healthy", more: POSTURE });
    const bed = await TrustBed.start(t, {
      site,
      authorities: (appliance) => listed(appliance, "managed"),
      sources: [new Revocations()],
    });
    const laptop = bed.appliance.root.client({
      cn: "alice",
      ou: ["maintenance"],
      sanUris: ["urn:niac:device:laptop-7"],
    });
    const good = { diskEncryption: true };
    const now = Date.now();
    for (const of of NAMESAKES) await bed.keeper.report(report(good, now, of));
    t.is(await bed.exceptionOf(laptop), 1, "four good reports, and none is its own");
    await bed.keeper.report(report(good, now, { authority: "acme-ca", tenant: "acme" }));
    const client = await bed.open(laptop);
    t.true(await answers(client));
    for (const of of NAMESAKES)
      await bed.keeper.report(report({ diskEncryption: false }, now + 1, { ...of, received: now + 1 }));
    t.true(await answers(client), "four bad ones that are newer, and none is its own");
    const [refused] = await bed.recorded(1, ({ stage }) => stage === "posture");
    t.regex(refused?.reason ?? "", /no report of laptop-7 \(authority acme-ca, tenant acme\)/);
  },
);

testWith("pymodbus", "faketime")("a report that grows stale ends the session by itself", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const limits = "idleTimeout: 24h";
  const site = pressSite(machine.port, { grant: "posture: healthy", more: POSTURE, limits });
  const clock = FakedClock.create(t);
  const bed = await TrustBed.start(t, { site, environment: clock.environment });
  const laptop = bed.appliance.root.client({
    cn: "alice",
    ou: ["maintenance"],
    sanUris: ["urn:niac:device:laptop-7"],
  });
  await bed.keeper.report(report({ diskEncryption: true }, Date.now() - 7 * HOUR));
  const client = await bed.open(laptop);
  t.true(await answers(client));
  clock.shift("+3601");
  await until(() => client.ended, "the session to end");
  const [end] = await bed.recorded(1, ({ kind }) => kind === "session.end");
  t.like(end, { stage: "posture" });
  t.regex(end?.reason ?? "", /is stale: it counts for 8 h/);
});

testWith("pymodbus")(
  "by a clock set back a year an expired certificate stays refused, and a live session ends",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    // To the gateway it is the same whether its clock went back or what control knows went ahead.
    const bed = await TrustBed.start(t, { site: pressSite(machine.port) });
    const day = 24 * HOUR;
    const [short, long] = [
      bed.appliance.root.client({ cn: "alice", ou: ["maintenance"], days: 30 }),
      bed.appliance.root.client({ cn: "bob", ou: ["maintenance"], days: 1_000 }),
    ];
    const [one, other] = [await bed.open(short), await bed.open(long)];
    for (const client of [one, other]) t.true(await answers(client));
    bed.keeper.known(Date.now() + 365 * day);
    await until(() => one.ended, "the session of the expired certificate to end");
    t.is(await bed.exceptionOf(short), null);
    t.true(await answers(other));
    t.is(await bed.exceptionOf(long), 0);
    const [refused] = await bed.recorded(1, ({ kind }) => kind === "session.refused");
    t.regex(refused?.reason ?? "", /expired on/);
    const [end] = await bed.recorded(1, ({ kind }) => kind === "session.end");
    t.like(end, { stage: "certificate", identity: { user: "alice" } });

    await bed.keeper.acceptClock("operator");
    await until(async () => (await bed.exceptionOf(short)) === 0, "the clock to be believed");
    const [accepted] = await bed.recorded(1, ({ kind }) => kind === "trust");
    t.regex(accepted?.reason ?? "", /^operator says that the clock is right/);
  },
);

testWith("pymodbus")(
  "tier and tenant are the issuing authority's, and who is no longer trusted is let go",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const site = pressSite(machine.port).replace(
      "who: { groups: [maintenance] }",
      "who: { tiers: [contractor], tenants: [acme] }",
    );
    let tier = "contractor";
    const source = new Revocations();
    const bed = await TrustBed.start(t, { site, sources: [source], authorities: (box) => listed(box, tier) });
    const alice = bed.appliance.root.client({ cn: "alice", sanUris: ["urn:niac:tier:managed"] });
    const client = await bed.open(alice);
    t.true(await answers(client));
    t.is(source.asked[0]?.authority, "acme-ca");
    const [start] = await bed.recorded(1, ({ kind }) => kind === "session.start");
    t.like(start, { identity: { tier: "contractor", tenant: "acme" } });
    await bed.keeper.push();
    t.true(await answers(client), "the same again changes nothing");
    tier = "byod";
    t.is(await bed.keeper.push(), 1);
    await until(() => client.ended, "the session to end");
    t.is(await bed.exceptionOf(alice), 1);
    const { lock, effect } = await bed.keeper.locks.add(
      { kind: "tenant", value: "acme", reason: "contract over", by: "operator", until: null },
      bed.snapshot,
    );
    t.is(effect.ended, 0);
    t.is(lock.id, "1");
    t.is(await bed.exceptionOf(alice), 1);
    t.is((await bed.recorded(2, ({ kind }) => kind === "session.refused")).at(-1)?.stage, "lock");
  },
);
