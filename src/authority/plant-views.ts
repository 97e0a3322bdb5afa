/** What commands and screens show of the authority. */
import { messageOf } from "../base/index.ts";
import type { AuthorityView, CertificateView, PlantView } from "../link/index.ts";
import type { PlantAuthority } from "./plant.ts";
import type { Authority, AuthorityStore, StoredCertificate } from "./store.ts";

/** Throws an UnavailableError where there is no authority. */
export async function plantView(plant: PlantAuthority, now: number): Promise<PlantView> {
  const { store } = plant;
  const { name, created, lifetimes, crlUrl } = store.plant;
  const { keys, problem } = await keysOf(plant);
  return {
    name,
    created,
    lifetimes,
    crlUrl,
    keys,
    problem: problem ?? plant.problem,
    fingerprint: plant.fingerprint(),
    authorities: store.authorities.map((authority) => authorityView(store, authority, now)),
  };
}

async function keysOf(plant: PlantAuthority): Promise<Pick<PlantView, "keys" | "problem">> {
  try {
    const { kind, protects } = await plant.keyring();
    return { keys: { kind, protects }, problem: null };
  } catch (error) {
    return { keys: null, problem: messageOf(error) };
  }
}

function authorityView(store: AuthorityStore, authority: Authority, now: number): AuthorityView {
  const { id, name, role, tier, tenant, algorithm, fingerprint, created, notAfter } = authority;
  const list = store.list(id);
  const stands = store.stands(authority);
  const live =
    role === "root"
      ? store.authorities.filter((each) => each.parent === id && store.stands(each)).length
      : store.countLive(id, now);
  return {
    id,
    name,
    role,
    tier,
    tenant,
    algorithm,
    fingerprint,
    created,
    notAfter,
    state: authority.state,
    live: stands ? live : 0,
    list:
      list === null
        ? null
        : { number: String(list.number), entries: list.entries, nextUpdate: list.nextUpdate },
  };
}

export function certificateView(store: AuthorityStore, certificate: StoredCertificate): CertificateView {
  const { serial, fingerprint, kind, user, device, subject, notBefore, notAfter, issuedBy } = certificate;
  const authority = store.authority(certificate.authority);
  const ended = authority === null ? [] : [authority, ...store.above(authority)];
  const end = ended.find(({ state }) => state === "revoked" || state === "retired");
  return {
    serialNumber: serial,
    fingerprint,
    kind,
    user,
    device,
    notBefore,
    notAfter,
    issuedBy,
    authority: authority?.name ?? "",
    tier: subject?.tier ?? null,
    tenant: subject?.tenant ?? null,
    revokedAt: certificate.revokedAt ?? end?.revokedAt ?? null,
    reason: certificate.reason ?? end?.reason ?? null,
  };
}
