/** Certificates of the plant's authority on both ends of a TLS handshake, as gateway and laptop do it, and read by identity/. */
import { once } from "node:events";
import { X509Certificate } from "node:crypto";
import { connect, createServer, type TLSSocket } from "node:tls";
import test from "ava";
import { isRefusal, peerOf, readIdentity, type Identity, type Refusal } from "../../../src/identity/index.ts";
import type { Issued } from "../../../src/authority/index.ts";
import { certificatePem, KEY_ALGORITHMS, type KeyPair } from "../../../src/x509/index.ts";
import { ALICE, asked, DAY, initialised, type Bed } from "../../unit/authority/plant-bed.ts";

interface End {
  readonly issued: Issued;
  readonly keys: KeyPair;
}

function material({ issued, keys }: End): { cert: string; key: string } {
  return {
    cert: [issued.certificate, ...issued.chain].map(certificatePem).join(""),
    key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** What the gateway makes of the client; both must find the other's chain good for that. */
async function met(bed: Bed, server: End, client: End): Promise<Identity | Refusal> {
  const { clientCa, serverCa } = bed.plant.trustedPem();
  const listener = createServer({
    ...material(server),
    ca: clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no port");
  const tenants = bed.plant.authorities().map(({ name, tenant, tier, certificate }) => ({
    name,
    tenant,
    tier,
    certificate: new X509Certificate(certificate),
  }));
  const read = new Promise<Identity | Refusal>((resolve, reject) => {
    listener.on("tlsClientError", reject);
    listener.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", reject);
      resolve(readIdentity(peerOf(socket), bed.time.now, { tenants }));
      socket.end();
    });
  });
  const socket = connect({
    host: "127.0.0.1",
    port: address.port,
    servername: "box.plant.example",
    ca: serverCa,
    ...material(client),
  });
  socket.resume();
  try {
    const [identity] = await Promise.all([read, once(socket, "close")]);
    return identity;
  } finally {
    socket.destroy();
    listener.close();
  }
}

const NAMES = { commonName: "box.plant.example", dns: ["box.plant.example"], ip: [] };

async function box(bed: Bed): Promise<End> {
  const { request, keys } = await asked({ commonName: NAMES.commonName });
  return { issued: await bed.plant.infrastructure(request, NAMES, DAY, "gateway"), keys };
}

for (const algorithm of KEY_ALGORITHMS) {
  test(`${algorithm}: gateway and laptop take each other, and identity reads what was issued`, async (t) => {
    const bed = await initialised(t, { algorithm, tenants: ["acme"] });
    const { request, keys } = await asked({ commonName: "alice", algorithm });
    const subject = { ...ALICE, tenant: "acme", role: "Engineer" };
    const issued = await bed.plant.issue(request, subject, "admin");
    const identity = await met(bed, await box(bed), { issued, keys });
    if (isRefusal(identity)) throw new Error(identity.reason);
    const { user, device, groups, role, tier, tenant, authority, serialNumber } = identity;
    t.deepEqual(
      { user, device, groups, role, tier, tenant, authority, serialNumber },
      {
        user: "alice",
        device: "laptop-7",
        groups: ["maintenance"],
        role: "Engineer",
        tier: "managed",
        tenant: "acme",
        authority: "managed acme 6",
        serialNumber: issued.serialNumber,
      },
    );
  });
}

test("leaf by leaf from P-256 to ML-DSA-65 under a new root: old and new laptops meet the same gateway", async (t) => {
  const bed = await initialised(t);
  const old = await asked({ commonName: "alice" });
  const before = { issued: await bed.plant.issue(old.request, ALICE, "admin"), keys: old.keys };
  await bed.plant.rotate(
    { root: true, infrastructure: false, tier: null, tenant: null },
    "ml-dsa-65",
    "admin",
  );
  const fresh = await asked({ commonName: "bob", algorithm: "ml-dsa-65" });
  const bob = { ...ALICE, user: "bob", device: "laptop-8" };
  const after = { issued: await bed.plant.issue(fresh.request, bob, "admin"), keys: fresh.keys };
  const server = await box(bed);
  t.like(await met(bed, server, before), { user: "alice", authority: "managed 3" });
  t.like(await met(bed, server, after), { user: "bob", authority: "managed 8" });
});

test("the appliance's own certificate is nobody's identity, and a revoked authority's neither", async (t) => {
  const bed = await initialised(t);
  const server = await box(bed);
  t.like(await met(bed, server, server), { code: "tenant-unknown" });
  const { request, keys } = await asked({ commonName: "alice" });
  const issued = await bed.plant.issue(request, ALICE, "admin");
  await bed.plant.revoke("authority", "managed 3", "its key was copied", "admin");
  // The laptop goes on sending its authority's certificate, so the chain holds; the list of authorities decides.
  t.like(await met(bed, server, { issued, keys }), { code: "tenant-unknown" });
});
