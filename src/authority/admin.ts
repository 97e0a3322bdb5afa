import { PeerError, UsageError, type Channel, type Clock } from "../base/index.ts";
import * as link from "../link/index.ts";
import { certificatePem, pemToDer, readRequest } from "../x509/index.ts";
import { certificateView, plantView } from "./plant-views.ts";
import type { PlantAuthority } from "./plant.ts";

/** Certificates shown of a revocation. */
const SHOWN = 100;
const DISTANT = 10_000;

/** Answers what `niac authority` asks. Whoever may open the socket is an administrator. `delegated`: whether the site's own authority stands in the plant's place. */
export function serveAuthority(
  channel: Channel,
  plant: PlantAuthority,
  clock: Clock,
  delegated: () => boolean = () => false,
): void {
  const { store } = plant;
  channel.handle(link.authorityShow, () => plantView(plant, clock.now()));
  channel.handle(link.authorityInit, async (options) => {
    refuseBoth(delegated);
    await plant.init(options);
    return plantView(plant, clock.now());
  });
  channel.handle(link.authorityRotate, async ({ scope, algorithm, by }) => ({
    made: [...(await plant.rotate(scope, algorithm, by))],
  }));
  channel.handle(link.authorityRetire, async ({ scope, by }) => {
    const { retired, cut } = await plant.retire(scope, by);
    return { retired: [...retired], cut };
  });
  channel.handle(link.authorityTenant, async ({ tenant, by }) => ({
    made: [...(await plant.addTenant(tenant, by))],
  }));
  channel.handle(link.authorityCertificates, ({ user, device, all, limit }) => {
    store.checkThere();
    const most = Math.min(limit, DISTANT);
    const found = all ? store.all({ user, device }, most) : store.live({ user, device }, clock.now(), most);
    const views = found.map((certificate) => certificateView(store, certificate));
    return all ? views : views.filter(({ revokedAt }) => revokedAt === null);
  });
  channel.handle(link.authorityIssue, async ({ request, by, ...subject }) => {
    const issued = await plant.issue(readRequest(requestIn(request)), subject, by);
    const { certificate, chain, serialNumber, notAfter } = issued;
    return { chain: [certificate, ...chain].map(certificatePem).join(""), serialNumber, notAfter };
  });
  channel.handle(link.authorityRevoke, async ({ what, value, reason, by }) => {
    store.checkThere();
    const { certificates, sessions, list } = await plant.revoke(what, value, reason, by);
    const revoked = certificates.slice(0, SHOWN).map((each) => certificateView(store, each));
    return { count: certificates.length, revoked, sessions, list };
  });
  channel.handle(link.authorityCrl, ({ authority }) => {
    store.checkThere();
    const der = plant.crl(authority);
    if (der !== null) return { der: der.toString("base64") };
    throw new UsageError(
      "no-list",
      `there is no revocation list of "${authority}"`,
      "See niac authority show.",
    );
  });
  channel.handle(link.authorityTrust, () => ({ pem: plant.cacerts().map(certificatePem).join("") }));
  channel.handle(link.authorityExport, async ({ passphrase, by }) => ({
    file: (await plant.export(passphrase, by)).toString("latin1"),
  }));
  channel.handle(link.authorityImport, async ({ file, passphrase, by }) => {
    refuseBoth(delegated);
    const made = await plant.import(Buffer.from(file, "latin1"), passphrase, by);
    return { made, plant: await plantView(plant, clock.now()) };
  });
}

/** Two that issue would be two that have to be looked after, and one is asked for by mistake. */
function refuseBoth(delegated: () => boolean): void {
  if (!delegated()) return;
  throw new UsageError(
    "delegated",
    "this appliance has its certificates from the site's own authority, and makes none beside it",
    "See niac authority show.",
  );
}

/** `openssl req` writes a label of its own in old versions; both are PKCS#10. */
function requestIn(pem: string): Buffer {
  const [der, more] = pemToDer(
    pem.replaceAll("NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST"),
    "CERTIFICATE REQUEST",
  );
  if (der !== undefined && more === undefined) return der;
  throw new PeerError("request-count", "the file holds more than one certificate request");
}
