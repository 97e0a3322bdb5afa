/** Node's TLS takes a chain of each algorithm, ML-DSA-65 too, on both ends, and mixed. */
import test from "ava";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import * as x509 from "../../../src/x509/index.ts";
import { Plant, type Made } from "./plant.ts";

interface Outcome {
  readonly authorized: boolean;
  readonly error: unknown;
  readonly client: Buffer | undefined;
}

/** One handshake on loopback; both ends send their chains without the root. */
async function handshake(
  server: Made,
  client: Made,
  serverPlant: Plant,
  clientPlant: Plant,
  crl: readonly string[],
): Promise<Outcome> {
  const end = createServer({
    cert: server.pem + serverPlant.issuing.pem,
    key: server.keys.privateKey.export({ type: "pkcs8", format: "pem" }),
    ca: [clientPlant.root.pem],
    minVersion: "TLSv1.3",
    requestCert: true,
    rejectUnauthorized: false,
    ...(crl.length === 0 ? {} : { crl: [...crl] }),
  });
  end.listen(0, "127.0.0.1");
  await once(end, "listening");
  const address = end.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const accepted: Promise<Outcome> = new Promise((resolve, reject) => {
    end.on("tlsClientError", reject);
    end.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", reject);
      const { authorized, authorizationError: error } = socket;
      resolve({ authorized, error, client: socket.getPeerX509Certificate()?.raw });
      socket.end();
    });
  });
  const socket = connect({
    host: "127.0.0.1",
    port: address.port,
    servername: "press-4.plant",
    cert: client.pem + clientPlant.issuing.pem,
    key: client.keys.privateKey.export({ type: "pkcs8", format: "pem" }),
    // The client refuses a server that it cannot verify.
    ca: [serverPlant.root.pem],
  });
  socket.resume();
  try {
    const [outcome] = await Promise.all([accepted, once(socket, "close")]);
    return outcome;
  } finally {
    socket.destroy();
    end.close();
  }
}

const SERVER = { cn: "press-4", purposes: ["serverAuth"], altNames: [{ dns: "press-4.plant" }] };

for (const algorithm of x509.KEY_ALGORITHMS) {
  test(`${algorithm}: root, issuing authority and leaf, on both ends`, async (t) => {
    const plant = await Plant.create(algorithm);
    t.teardown(() => plant.remove());
    const [server, client] = [
      await plant.leaf(SERVER),
      await plant.leaf({ more: [x509.modbusRole("Operator")] }),
    ];
    const lists = [plant.crl(plant.issuing), plant.crl(plant.root)];
    const outcome = await handshake(server, client, plant, plant, lists);
    t.like(outcome, { authorized: true, error: null });
    t.deepEqual(outcome.client, client.der);

    const revoked = plant.crl(plant.issuing, [
      {
        serialNumber: client.certificate.serialNumber,
        revokedAt: Date.now() - 1000,
        reason: "keyCompromise",
      },
    ]);
    const refused = await handshake(server, client, plant, plant, [revoked, plant.crl(plant.root)]);
    t.like(refused, { authorized: false, error: "CERT_REVOKED" });
  });
}

test("a leaf of ML-DSA-65 under authorities of P-256, and the other way round", async (t) => {
  const [classic, quantum] = [await Plant.create("p256"), await Plant.create("ml-dsa-65")];
  t.teardown(() => {
    classic.remove();
    quantum.remove();
  });
  const leaf = await classic.leaf({}, "ml-dsa-65");
  t.true((await handshake(await quantum.leaf(SERVER), leaf, quantum, classic, [])).authorized);
  const other = await quantum.leaf({}, "p256");
  t.true((await handshake(await classic.leaf(SERVER), other, classic, quantum, [])).authorized);
  t.false((await handshake(await classic.leaf(SERVER), other, classic, classic, [])).authorized);
});

test("ML-DSA-65: Node's own reader agrees with what is written", async (t) => {
  const plant = await Plant.create("ml-dsa-65");
  t.teardown(() => plant.remove());
  const leaf = await plant.leaf({ altNames: [{ dns: "laptop-7.plant" }] });
  const [certificate, issuing] = [new X509Certificate(leaf.der), new X509Certificate(plant.issuing.der)];
  t.true(certificate.checkIssued(issuing));
  t.true(certificate.verify(issuing.publicKey));
  t.true(certificate.publicKey.equals(leaf.keys.publicKey));
  t.is(certificate.subjectAltName, "DNS:laptop-7.plant");
  t.true(certificate.checkPrivateKey(leaf.keys.privateKey));
});
