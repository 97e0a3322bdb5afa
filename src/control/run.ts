import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { openClock, readImageBox, type BoxHardware } from "../appliance/index.ts";
import { AuditLog, createRecords, openDatabase } from "../audit/index.ts";
import { messageOf, systemClock, type Channel } from "../base/index.ts";
import { ADMIN_SOCKET, GATEWAY_SOCKET, listen, type Owner, type OwnCertificateState } from "../link/index.ts";
import type { Address, Settings } from "../settings/index.ts";
import { createAuthority, createUpstream } from "../authority/index.ts";
import { createEnrolment } from "../enrolment/index.ts";
import { createOutside, OutsideAuthorities, serveOutside } from "../revocation/index.ts";
import { serveAdmin } from "./admin.ts";
import { Authorities } from "./authorities.ts";
import { Box } from "./box.ts";
import { OwnTls } from "./certify.ts";
import { ClaimDesk } from "./claim.ts";
import { ClockDesk } from "./clock.ts";
import { serveConsole } from "./console.ts";
import { EnrolmentDesk } from "./enrolment.ts";
import { GatewayLink } from "./gateway-link.ts";
import { BoxIdentity, createIdentity, identityDraft, originOf } from "./identity.ts";
import { KeptKeyring } from "./kept-keyring.ts";
import { fileVerdict, issuingAuthorities } from "./issuers.ts";
import { NetdLink } from "./netd-link.ts";
import { ownAddresses } from "./own-names.ts";
import { createPanel, PanelStore } from "./panel-store.ts";
import { postureIntake } from "./posture.ts";
import { servePrepared } from "./prepared.ts";
import { Site } from "./site.ts";
import { createSite, SiteStore } from "./site-store.ts";
import { systemUpdates } from "./update-system.ts";
import { createUpdates } from "./update-store.ts";
import { createTrust, TrustStore } from "./trust-store.ts";
import { TrustKeeper } from "./trust.ts";

/** Below the run directory, for the serial console, which has no call to ask with: the box's name, and its identity in words. */
const NAME_FILE = "name.txt";
/** Milliseconds between looks at addresses and files that change by themselves. */
const LOOK = 60_000;

/**
 * Starts control and resolves once it listens; `stop` ends it cleanly, `alive` asks the database, and throws what that says. `gateway`: the
 * user the gateway runs as, null where it is this process's own. `fatal` is called when the process must not go on.
 */
export async function runControl(
  settings: Settings,
  gateway: Owner | null,
  log: Logger,
  fatal: (error: Error) => void,
  hardware: BoxHardware,
): Promise<{ stop(): Promise<void>; alive(): boolean }> {
  const clock = systemClock;
  mkdirSync(settings.runDir, { recursive: true, mode: 0o700 });
  if (gateway !== null) letThrough(settings.runDir);
  const db = openDatabase(join(settings.stateDir, "niac.db"), [
    createRecords,
    createSite,
    createTrust,
    createAuthority,
    createUpstream,
    createEnrolment,
    createOutside,
    createPanel,
    createUpdates,
    createIdentity,
  ]);
  const keyring = new KeptKeyring(settings, log, db);
  const identity = new BoxIdentity(db, () => keyring.open(), clock);
  const origin = settings.origin ?? originOf(await identity.open());
  const audit = new AuditLog(db, origin, { clock, onFatal: fatal });
  let ownState: OwnCertificateState | null = null;
  const link = new GatewayLink(audit, clock, log, {
    current: () => ({
      snapshot: site.snapshot,
      tls: ownTls.given(),
      trust: trust.state(),
      panel: box.panelState(),
    }),
    certify: (request) => ownTls.certify(request, "gateway"),
    check: (certificate, groups) => trust.check(certificate, groups),
    attached() {
      trust.recheckSoon();
      box.attached();
    },
    recorded: (drafts) => box.recorded(drafts),
    ownCertificate(state) {
      ownState = state;
    },
  });
  const site: Site = new Site(
    new SiteStore(db),
    audit,
    origin,
    clock,
    (snapshot) => {
      void netd.push(trust.inNetwork(snapshot));
      outside.apply(snapshot.trust.authorities);
      link.push(snapshot);
      trust.pushSoon();
      ownTls.changed();
      void desk.follow();
      clocks.follow(snapshot.network?.timeServers ?? []);
    },
    (snapshot) => netd.check(snapshot),
    () => box.panelState(),
  );
  const ownTls = new OwnTls({
    settings,
    origin,
    issuer: () => authorities.issuer(),
    log,
    snapshot: () => site.snapshot,
    addresses: () => ownAddresses(listens(settings), settings.cable, networkInterfaces()),
    push: (tls) => link.pushTls(tls),
  });
  const netd: NetdLink = new NetdLink(settings.cable && settings.runDir, audit, clock, log, () =>
    trust.inNetwork(site.snapshot),
  );
  const trust: TrustKeeper = new TrustKeeper({
    store: new TrustStore(db),
    audit,
    clock,
    log,
    site: () => site.snapshot,
    authorities: () =>
      issuingAuthorities(authorities.plant.authorities(), site.snapshot, ownTls.clientFile()),
    sources: [
      { check: (certificate) => Promise.resolve(authorities.plant.check(certificate)) },
      { check: (certificate, groups) => outside.check(certificate, groups) },
      { check: (certificate) => Promise.resolve(fileVerdict(certificate)) },
    ],
    gateway: link,
    netd: (snapshot) => netd.push(snapshot),
  });
  const box: Box = new Box({
    hardware,
    audit,
    clock,
    log,
    store: new PanelStore(db),
    gateway: link,
    netd,
    site: () => site.snapshot.version,
    clockBehind: () => trust.clockBehind,
    ownCertificate: () => ownState,
    buttonAllows: settings.box.buttonAllows,
    runDir: settings.runDir,
  });
  const authorities: Authorities = new Authorities({
    db,
    audit,
    clock: { now: () => Math.max(clock.now(), trust.clock().floor), monotonic: () => clock.monotonic() },
    log,
    keyring,
    name: () => ownTls.names().dns[0] ?? origin,
    changed() {
      ownTls.changed();
      void desk.follow();
      trust.pushSoon();
    },
    revoked: () => trust.recheck(),
  });
  const outside = new OutsideAuthorities({
    db,
    clock,
    log,
    append: (drafts, urgency) => audit.append(drafts, urgency),
    floor: () => trust.clock().floor,
    changed: () => trust.recheckSoon(),
  });
  outside.apply(site.snapshot.trust.authorities);
  const posture = postureIntake(trust, audit, () => site.snapshot);
  const desk: EnrolmentDesk = new EnrolmentDesk({
    db,
    audit,
    clock,
    log,
    listen: settings.listenEnroll,
    authorities,
    tls: ownTls,
    trust,
    site: () => site.snapshot,
    posture: posture.handle,
  });
  const updates = systemUpdates({
    db,
    audit,
    clock,
    log,
    settings: settings.update,
    gateway: link,
    netd,
    authorities,
    site: () => site.snapshot.version,
    fault: (why, advice) => box.fault("update", why, advice),
  });
  const clocks: ClockDesk = new ClockDesk({
    audit,
    clock,
    log,
    trust,
    system: readImageBox() === null ? null : openClock(),
    fault: (source, why, advice) => box.fault(source, why, advice),
  });
  clocks.follow(site.snapshot.network?.timeServers ?? []);
  clocks.start();
  authorities.start();
  await desk.follow();
  const look = setInterval(() => {
    ownTls.changed();
    void desk.follow();
  }, LOOK);
  const claims = new ClaimDesk(identity, audit, clock, origin);
  const admins = new Set<Channel>();
  const servers = [
    await listen(
      join(settings.runDir, GATEWAY_SOCKET),
      "control",
      (channel) => link.accept(channel),
      gateway ?? "own",
    ),
    await listen(join(settings.runDir, ADMIN_SOCKET), "control", (channel) => {
      admins.add(channel);
      channel.onClosed(() => admins.delete(channel));
      authorities.serve(channel);
      desk.serve(channel);
      serveOutside(channel, outside);
      box.serve(channel);
      updates.serve(channel);
      clocks.serve(channel);
      serveConsole(channel, audit, clock);
      claims.serve(channel);
      servePrepared(channel, {
        audit,
        clock,
        fault: (source, why, advice) => box.fault(source, why, advice),
      });
      serveAdmin(channel, {
        audit,
        site,
        store: new SiteStore(db),
        link,
        netd,
        trust,
        ownCertificate: () => ownState,
        box: () => box.view(),
        origin,
        clock,
      });
    }),
  ];
  const { known } = identity;
  const started = {
    time: clock.now(),
    kind: "process",
    id: randomUUID(),
    reason: "control started",
  } as const;
  audit
    .append([...(known === null ? [] : [identityDraft(known)]), started], "now")
    .catch((error: unknown) => log.error({ reason: messageOf(error) }, "the start could not be recorded"));
  updates
    .start()
    .catch((error: unknown) => log.error({ reason: messageOf(error) }, "what became of the last update"));
  writeFileSync(join(settings.runDir, NAME_FILE), `${origin}\n${known?.words ?? ""}\n`, { mode: 0o644 });
  box.ready();
  log.info({ site: site.snapshot.version, records: audit.size }, "control is ready");
  return {
    alive: () => db.pragma("schema_version", { simple: true }) !== undefined,
    async stop() {
      clearInterval(look);
      updates.stop();
      clocks.stop();
      box.close();
      for (const server of servers) server.close();
      await link.close();
      netd.close();
      trust.close();
      await desk.stop();
      await posture
        .close()
        .catch((error: unknown) =>
          log.error({ reason: messageOf(error) }, "sums of posture reports are lost"),
        );
      await authorities.stop();
      await outside.stop();
      for (const channel of admins) channel.close();
      await audit
        .append([{ time: clock.now(), kind: "process", id: randomUUID(), reason: "control stopped" }], "now")
        .catch((error: unknown) => log.error({ reason: messageOf(error) }, "the stop could not be recorded"));
      await audit.close();
      db.close();
    },
  };
}

const OTHERS_PASS = 0o001;

/** The gateway's user must get to its socket; what else is there stays the owner's, and cannot be listed. */
function letThrough(dir: string): void {
  const { mode } = statSync(dir);
  if ((mode & OTHERS_PASS) === 0) chmodSync(dir, (mode & 0o777) | OTHERS_PASS);
}

function listens({ listenModbus, listenServices, listenEnroll }: Settings): Address[] {
  return [listenModbus, listenServices, listenEnroll];
}
