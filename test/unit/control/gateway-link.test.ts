import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import type { AuditLog, RecordDraft } from "../../../src/audit/index.ts";
import { UnavailableError, type Channel } from "../../../src/base/index.ts";
import { GatewayLink } from "../../../src/control/gateway-link.ts";
import {
  append,
  attach,
  certify,
  dial,
  gatewaySessions,
  leaving,
  listen,
  newSnapshot,
  newTls,
  ownCertificate,
  type OwnCertificateState,
  type TlsGiven,
} from "../../../src/link/index.ts";
import type { Snapshot } from "../../../src/site/index.ts";
import { until } from "../../support/processes.ts";
import { draft, plain } from "../audit/samples.ts";
import { Bed } from "./site.ts";

const TLS = {
  own: { certificate: "the certificate", key: "the key" },
  clientCa: "the authorities",
  serverCa: "the others",
  names: { commonName: "box-3", dns: ["box-3.plant.example"], ip: [] },
  authorities: "their digest",
  rotation: 1_000,
};
const TRUST = { authorities: [], locks: [], postures: [], floor: 0 };
const FRESH = { instance: "gateway-1", sessions: [], writes: [] };

interface Control {
  readonly link: GatewayLink;
  readonly audit: AuditLog;
  /** What was said of the gateway's own certificate. */
  readonly states: (OwnCertificateState | null)[];
  /** Drafts that it was told are stored. */
  readonly stored: RecordDraft[];
  /** A new channel to it, as a gateway opens one. */
  readonly connect: () => Promise<Channel>;
}

async function control(t: ExecutionContext): Promise<Control> {
  const bed = Bed.open(t);
  const dir = mkdtempSync(join(tmpdir(), "niac-link-"));
  const states: Control["states"] = [];
  const stored: RecordDraft[] = [];
  const link = new GatewayLink(bed.audit, bed.clock, pino({ level: "silent" }), {
    current: () => ({ snapshot: bed.site.snapshot, tls: TLS, trust: TRUST, panel: { keySwitch: true } }),
    certify: (request) =>
      Promise.resolve({ certificate: `for ${request.toString("utf8")}`, notBefore: 1, notAfter: 2 }),
    ownCertificate: (state) => states.push(state),
    check: () => Promise.resolve({ refusal: null, grace: null }),
    attached: () => {},
    recorded: (drafts) => stored.push(...drafts),
  });
  const path = join(dir, "gateway.sock");
  const server = await listen(path, "control", (channel) => link.accept(channel));
  t.teardown(async () => {
    await link.close();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const connect = async (): Promise<Channel> => {
    const channel = await dial(path, "gateway");
    t.teardown(() => channel.close());
    return channel;
  };
  return { link, audit: bed.audit, states, stored, connect };
}

function reasons(audit: AuditLog): Array<string | undefined> {
  return audit.read({ limit: 10_000 }).map(({ reason }) => reason);
}

test("a gateway attaches, gets the snapshot and the certificate, and is on record", async (t) => {
  const { link, audit, connect } = await control(t);
  t.false(link.attached);
  const channel = await connect();
  const { snapshot, tls, panel } = await channel.call(attach, FRESH);
  t.like(snapshot, { format: 1, version: 0 });
  t.deepEqual(tls, TLS);
  t.deepEqual(panel, { keySwitch: true });
  t.true(link.attached);
  t.deepEqual(reasons(audit), ["gateway attached"]);
});

test("records are taken from the attached gateway, after the commit, and from nobody else", async (t) => {
  const { audit, stored, connect } = await control(t);
  const [first, second] = [await connect(), await connect()];
  const drafts = plain(3);
  await t.throwsAsync(first.call(append, { drafts, urgency: "now" }), {
    instanceOf: UnavailableError,
    code: "not-attached",
  });
  t.is(audit.size, 0);
  await first.call(attach, FRESH);
  await first.call(append, { drafts, urgency: "now" });
  t.is(audit.size, 4);
  t.deepEqual(stored, drafts, "whose lamps show it is told once it is stored");
  await t.throwsAsync(second.call(append, { drafts: plain(1), urgency: "now" }), { code: "not-attached" });
  t.is(audit.size, 4);
});

test("a draft that is malformed is refused, and the channel goes on", async (t) => {
  const { audit, connect } = await control(t);
  const channel = await connect();
  await channel.call(attach, FRESH);
  const wrong = [{ ...draft(), kind: "process" as const, id: "" }];
  await t.throwsAsync(channel.call(append, { drafts: wrong, urgency: "now" }), { code: "audit-draft" });
  await channel.call(append, { drafts: plain(1), urgency: "now" });
  t.is(audit.size, 2);
});

test("a new gateway takes over, and what the old one left open is ended", async (t) => {
  const { link, audit, connect } = await control(t);
  const [old, fresh] = [await connect(), await connect()];
  await old.call(attach, FRESH);
  const write = draft({ session: "s1" });
  await old.call(append, {
    drafts: [draft({ kind: "session.start", session: "s1" }), write],
    urgency: "now",
  });
  const ended = new Promise((resolve) => old.onClosed(resolve));
  await fresh.call(attach, { ...FRESH, instance: "gateway-2" });
  await ended;
  t.true(link.attached);
  t.deepEqual(audit.openSessions(), []);
  t.like(audit.related(write.id).at(-1), { kind: "outcome", outcome: "unknown" });
  t.false(reasons(audit).includes("gateway lost"), "it was replaced, not lost");
});

test("the same gateway coming back keeps what it says it still has", async (t) => {
  const { audit, connect } = await control(t);
  const first = await connect();
  await first.call(attach, FRESH);
  const writes = [draft({ session: "s1" }), draft({ session: "s1" })];
  const starts = ["s1", "s2"].map((session) => draft({ kind: "session.start", session }));
  await first.call(append, { drafts: [...starts, ...writes], urgency: "now" });
  first.close();
  const again = await connect();
  await again.call(attach, { ...FRESH, sessions: ["s1"], writes: [writes[1]!.id] });
  t.deepEqual(
    audit.openSessions().map(({ session }) => session),
    ["s1"],
  );
  t.deepEqual(
    audit.openWrites().map(({ id }) => id),
    [writes[1]!.id],
  );
});

test("a gateway that goes is on record: as lost, or as stopped where it said so", async (t) => {
  const { link, audit, connect } = await control(t);
  const lost = await connect();
  await lost.call(attach, FRESH);
  lost.close();
  await until(() => reasons(audit).includes("gateway lost"), "the record");
  t.false(link.attached);
  await t.throwsAsync(link.call(gatewaySessions, null), {
    instanceOf: UnavailableError,
    code: "gateway-away",
  });
  const stopped = await connect();
  await stopped.call(attach, FRESH);
  stopped.notify(leaving, null);
  stopped.close();
  await until(() => reasons(audit).includes("gateway stopped"), "the record");
  t.is(reasons(audit).filter((reason) => reason === "gateway lost").length, 1);
});

test("a gateway that stops in the moment in which control does is on record", async (t) => {
  const { link, audit, connect } = await control(t);
  const channel = await connect();
  await channel.call(attach, FRESH);
  for (let said = 0; said < 2; said++) channel.notify(leaving, null);
  channel.close();
  await link.close();
  await audit.flush();
  t.deepEqual(reasons(audit), ["gateway attached", "gateway stopped"]);
});

test("a gateway that dies while it is being attached does not count as attached", async (t) => {
  const { link, audit, connect } = await control(t);
  const first = await connect();
  await first.call(attach, FRESH);
  const sessions = Array.from({ length: 2_000 }, (_, i) =>
    draft({ kind: "session.start", session: `s${i}` }),
  );
  for (let at = 0; at < sessions.length; at += 500) {
    await first.call(append, { drafts: sessions.slice(at, at + 500), urgency: "now" });
  }
  first.close();
  await until(() => !link.attached, "the first to be gone");
  const dying = await connect();
  // Ending two thousand sessions takes several commits; the channel is gone before the first of them is done.
  dying.call(attach, FRESH).catch(() => {});
  dying.close();
  await until(() => audit.openSessions().length === 0, "the sessions to be ended");
  await until(
    () => reasons(audit).filter((reason) => reason === "gateway attached").length === 2,
    "the record",
  );
  await until(() => !link.attached, "control to notice");
  t.false(link.attached);
});

test("a changed site is pushed to the attached gateway", async (t) => {
  const { link, connect } = await control(t);
  const channel = await connect();
  const pushed = new Promise<Snapshot>((resolve) =>
    channel.on(newSnapshot, ({ snapshot }) => resolve(snapshot)),
  );
  const { snapshot } = await channel.call(attach, FRESH);
  link.push({ ...snapshot, version: 7 });
  t.is((await pushed).version, 7);
});

test("a request for the gateway's certificate is signed for the attached gateway, and for nobody else", async (t) => {
  const { states, connect } = await control(t);
  const [stranger, channel] = [await connect(), await connect()];
  const request = Buffer.from("its request").toString("base64");
  await channel.call(attach, FRESH);
  await t.throwsAsync(stranger.call(certify, { request }), { code: "not-attached" });
  const { certificate } = await channel.call(certify, { request });
  t.is(certificate, "for its request");
  stranger.notify(ownCertificate, { notAfter: 99, problem: null });
  channel.notify(ownCertificate, { notAfter: 5, problem: "control is slow" });
  await until(() => states.length > 0, "the state");
  channel.close();
  await until(() => states.length > 1, "the end");
  t.deepEqual(states, [{ notAfter: 5, problem: "control is slow" }, null]);
});

test("new TLS material is pushed to the attached gateway", async (t) => {
  const { link, connect } = await control(t);
  const channel = await connect();
  const pushed = new Promise<TlsGiven>((resolve) => channel.on(newTls, ({ tls }) => resolve(tls)));
  await channel.call(attach, FRESH);
  link.pushTls({ ...TLS, clientCa: "others" });
  t.is((await pushed).clientCa, "others");
});
