import { connect, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type TLSSocket } from "node:tls";
import test from "ava";
import * as fc from "fast-check";
import { certificatePem, makeName, makeRequest, readCertsOnly } from "../../../src/x509/index.ts";
import * as x509 from "../../../src/x509/index.ts";
import { basic, EstBed, fingerprint, keyPem, requestFor, subject, type Got } from "../../support/est-bed.ts";
import { until } from "../../support/processes.ts";

const HOUR = 3_600_000;
const ENROLL = "/.well-known/est/simpleenroll";
const PKCS10 = { "Content-Type": "application/pkcs10" };

async function withBed(body: (bed: EstBed) => Promise<void>): Promise<void> {
  const bed = await EstBed.open();
  try {
    await body(bed);
  } finally {
    await bed.close();
  }
}

function tls(bed: EstBed, more: object = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: bed.port, ca: certificatePem(bed.issuer.root), ...more };
    const socket = connectTls(options, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** What a server sends until it closes. */
function heard(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.on("error", () => socket.destroy());
  return new Promise((resolve) => socket.once("close", () => resolve(text)));
}

test("cacerts, with and without a label, are the authority's certificates, for everybody", async (t) => {
  await withBed(async (bed) => {
    for (const label of ["", "/managed", "/contractor.acme"]) {
      const got = await bed.send(`/.well-known/est${label}/cacerts`);
      t.is(got.status, 200);
      t.is(got.headers["content-type"], "application/pkcs7-mime; smime-type=certs-only");
      const given = readCertsOnly(Buffer.from(got.text, "base64")).map(fingerprint);
      t.deepEqual(given, bed.issuer.cacerts().map(fingerprint));
    }
  });
});

test("csrattrs asks for a P-256 key", async (t) => {
  await withBed(async (bed) => {
    const got = await bed.send("/.well-known/est/csrattrs");
    t.is(got.status, 200);
    t.is(got.headers["content-type"], "application/csrattrs");
    // SEQUENCE { SEQUENCE { ecPublicKey, SET { prime256v1 } }, ecdsa-with-SHA256 }, as OpenSSL's asn1parse reads it.
    t.is(
      Buffer.from(got.text, "base64").toString("hex"),
      "3021301506072a8648ce3d0201310a06082a8648ce3d03010706082a8648ce3d040302",
    );
  });
});

test("an answer is in one piece, with its length and its header within 1,024 bytes, and the connection ends", async (t) => {
  await withBed(async (bed) => {
    const socket = await tls(bed);
    const all = heard(socket);
    socket.write("GET /.well-known/est/cacerts HTTP/1.1\r\nHost: box\r\n\r\n");
    const text = await all;
    t.true(text.startsWith("HTTP/1.1 200 OK\r\n"));
    t.true(text.indexOf("\r\n\r\n") < 1_000);
    t.regex(text, /\r\nContent-Length: \d+\r\n/);
    t.notRegex(text, /chunked/i);
  });
});

test("what is asked wrongly is told in text, with what would allow it, and is on record", async (t) => {
  await withBed(async (bed) => {
    const { der } = await requestFor("alice");
    const body = der.toString("base64");
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`;
    const asked: [() => Promise<Got>, number, RegExp][] = [
      [() => bed.send("/nowhere"), 404, /nothing at this path/],
      [() => bed.send("/.well-known/est/fullcmc", { body: "x" }), 404, /nothing at this path/],
      [() => bed.send("/.well-known/est/serverkeygen", { body: "x" }), 404, /nothing/],
      [() => bed.send("/.well-known/est/gold/cacerts"), 404, /no such label/],
      [() => bed.send(`${ENROLL}?x`, { body: "x" }), 404, /nothing/],
      [() => bed.send("/.well-known/est/cacerts", { body: "x" }), 405, /takes GET and not POST/],
      [() => bed.send(ENROLL), 405, /takes POST and not GET/],
      [() => bed.send("/", { method: "DELETE" }), 405, /DELETE/],
      [() => bed.send(ENROLL, { body }), 415, /application\/pkcs10/],
      [() => bed.send(ENROLL, { body: "", headers: PKCS10, method: "POST" }), 400, /empty/],
      [() => bed.send(ENROLL, { body: "%%%", headers: PKCS10 }), 400, /not base64/],
      [() => bed.send(ENROLL, { body: pem, headers: PKCS10 }), 400, /PEM/],
      [() => bed.send(ENROLL, { body: body.slice(0, -4), headers: PKCS10 }), 400, /request/],
      [() => bed.send(ENROLL, { body: "AAAA", headers: PKCS10 }), 400, /cannot be read/],
      [() => bed.send("/crl/none.crl"), 404, /no revocation list/],
      [() => bed.send("/.well-known/niac/posture", { body: "x" }), 404, /no posture reports/],
    ];
    for (const [sent, status, text] of asked) {
      const got = await sent();
      t.is(got.status, status, got.text);
      t.is(got.headers["content-type"], "text/plain; charset=utf-8");
      t.regex(got.text, text);
      t.is(got.text.trimEnd().split("\n").length, 2, "a reason and an advice");
    }
    t.is((await bed.send("/.well-known/niac/sign-in")).status, 404);
    const denials = bed.records.filter(({ kind, decision }) => kind === "trust" && decision === "denial");
    t.true(denials.length >= 10);
    t.true(denials.every(({ source }) => /^127\.0\.0\.1:\d+$/.test(source ?? "")));
    t.is(bed.issuer.issuedFor.length, 0);
  });
});

test("a request whose signature was changed, or that is not all there, is refused and uses no code up", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const { der } = await requestFor("alice");
    const forged = Buffer.from(der);
    forged[forged.length - 1]! ^= 1;
    const wrong = await bed.enroll(forged, basic("alice", code));
    t.is(wrong.status, 400);
    t.is((await bed.enroll(der.subarray(0, -1), basic("alice", code))).status, 400);
    t.is((await bed.enroll(Buffer.concat([der, Buffer.of(0)]), basic("alice", code))).status, 400);
    t.is((await bed.enroll(der, basic("alice", code))).status, 200);
  });
});

test("a body of 64 KiB is looked at, one byte more is 413 before anything is decoded, 10 MB too", async (t) => {
  await withBed(async (bed) => {
    const most = await bed.send(ENROLL, { headers: PKCS10, body: "A".repeat(65_536) });
    t.is(most.status, 400);
    for (const length of [65_537, 10_000_000]) {
      const got = await bed.send(ENROLL, { headers: PKCS10, body: "A".repeat(length) });
      t.is(got.status, 413);
      t.regex(got.text, /longer than the 65536 bytes/);
    }
    const chunked = { ...PKCS10, "Transfer-Encoding": "chunked" };
    t.is((await bed.send(ENROLL, { headers: chunked, body: "A".repeat(1_000_000) })).status, 413);
    const patient = { ...PKCS10, Expect: "100-continue", "Content-Length": "10000000" };
    const socket = await tls(bed);
    const all = heard(socket);
    const lines = Object.entries(patient).map(([name, value]) => `${name}: ${value}`);
    socket.write(`POST ${ENROLL} HTTP/1.1\r\nHost: box\r\n${lines.join("\r\n")}\r\n\r\n`);
    t.regex(await all, /^HTTP\/1\.1 413 /, "who asks whether to go on is told no");
  });
});

test("headers beyond 8 KiB, what is not HTTP, and two lengths are refused, and the server goes on", async (t) => {
  await withBed(async (bed) => {
    for (const [sent, answer] of [
      [`GET / HTTP/1.1\r\nHost: box\r\nX: ${"x".repeat(9_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
      ["\x16\x03\x01\x00\x00", /^HTTP\/1\.1 400 /],
      ["GET / HTTP/1.1\r\nHost: box\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", /^HTTP\/1\.1 400 /],
      [
        "POST / HTTP/1.1\r\nHost: box\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        /^HTTP\/1\.1 400 /,
      ],
    ] as const) {
      const socket = await tls(bed);
      const all = heard(socket);
      socket.write(sent);
      t.regex(await all, answer);
    }
    t.is((await bed.send("/")).status, 200);
    t.deepEqual(bed.faults, []);
  });
});

test("random bodies, paths and headers never are a fault of niac's own", async (t) => {
  await withBed(async (bed) => {
    const text = fc.string({ unit: "grapheme-ascii", maxLength: 60 });
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(Buffer.from(bytes).toString("base64"))),
    );
    const paths = fc.oneof(
      fc.webPath(),
      fc.constantFrom(ENROLL, "/.well-known/est/simplereenroll", "/.well-known/est/byod/simpleenroll"),
      text.map((end) => `/.well-known/est/${encodeURIComponent(end)}/simpleenroll`),
    );
    const { der } = await requestFor("alice");
    const authorizations = fc.oneof(
      fc.constantFrom("Basic", "Basic Og==", "Bearer x", "Bearer a.b.c", "Basic //79"),
      text.map((user) => `Basic ${Buffer.from(user).toString("base64")}`),
    );
    await fc.assert(
      fc.asyncProperty(
        paths,
        bodies,
        authorizations,
        fc.nat(der.length - 1),
        async (path, body, header, at) => {
          const broken = Buffer.from(der);
          broken[at]! ^= 0x41;
          for (const sent of [body, Buffer.from(broken.toString("base64"))]) {
            const headers = { ...PKCS10, Authorization: header };
            const got = await bed.send(path, { method: "POST", headers, body: sent });
            t.true(got.status >= 400 && got.status < 500, `${path} ${header}: ${got.status} ${got.text}`);
          }
        },
      ),
      { numRuns: 60 },
    );
    t.deepEqual(bed.faults, []);
  });
});

test("a page for people says the fingerprint and the command, and repeats nothing that a host header smuggles in", async (t) => {
  await withBed(async (bed) => {
    const got = await bed.send("/", { headers: { Host: "box.plant:8443" } });
    t.is(got.status, 200);
    const print = fingerprint(bed.issuer.root);
    t.true(got.text.includes(`niac enroll https://box.plant:8443 --fingerprint sha256:${print}`));
    const evil = await bed.send("/", { headers: { Host: "a;rm -rf" } });
    t.true(evil.text.includes("https://<this address>"));
  });
});

test("revocation lists are served as they are, without authentication", async (t) => {
  await withBed(async (bed) => {
    for (const { id } of bed.issuer.plant.store.authorities) {
      const got = await bed.send(`/crl/${id}.crl`);
      t.is(got.status, 200);
      t.is(got.headers["content-type"], "application/pkix-crl");
      const list = x509.readCrl(got.bytes);
      t.deepEqual([...list.entries()], []);
    }
  });
});

test("TLS 1.3, or 1.2 with authenticated encryption; nothing older, nothing weaker, and nothing is resumed", async (t) => {
  await withBed(async (bed) => {
    const modern = await tls(bed);
    t.is(modern.getProtocol(), "TLSv1.3");
    modern.destroy();
    const older = await tls(bed, { maxVersion: "TLSv1.2" });
    t.is(older.getProtocol(), "TLSv1.2");
    t.regex(older.getCipher().name, /GCM|CHACHA20/);
    t.falsy(older.getTLSTicket(), "no ticket");
    older.destroy();
    await t.throwsAsync(
      tls(bed, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256" }),
    );
    await t.throwsAsync(tls(bed, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }));
    const renewed = await bed.material();
    bed.service.setMaterial(renewed);
    const shown = (await tls(bed)).getPeerX509Certificate();
    t.true(renewed.certificate.startsWith(shown?.toString() ?? "none"), "a new certificate is shown at once");
    t.throws(() => bed.service.setMaterial({ certificate: "x", key: "y" }));
    t.is((await bed.send("/")).status, 200, "and one that is none leaves the old one serving");
  });
});

test("a thousand clients that stall before, in and after the handshake hold nobody up", async (t) => {
  await withBed(async (bed) => {
    const stalled: Socket[] = [];
    const hello = Buffer.from("1603010200010001fc0303", "hex");
    try {
      for (let index = 0; index < 1_000; index++) {
        const localAddress = `127.0.${index % 40}.7`;
        const socket = connect({ host: "127.0.0.1", port: bed.port, localAddress });
        stalled.push(socket);
        socket.on("error", () => socket.destroy()).resume();
        // One by one: what the kernel's own queue has no room for never gets to the server.
        await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
        if (index % 2 === 0) socket.write(hello);
      }
      for (let index = 0; index < 3; index++) {
        const silent = await tls(bed);
        silent.on("error", () => silent.destroy());
        stalled.push(silent);
      }
      const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
      t.is((await bed.enroll((await requestFor("alice")).der, basic("alice", code))).status, 200);
      await until(
        () => stalled.filter((socket) => !socket.closed).length <= 64,
        "the stalled ones to be cut",
      );
      t.deepEqual(bed.faults, []);
    } finally {
      for (const socket of stalled) socket.destroy();
    }
  });
});

test("an issuer that takes its time holds up its own client only", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const go = Promise.withResolvers<void>();
    bed.issuer.pause = go.promise;
    const slow = bed.enroll((await requestFor("alice")).der, basic("alice", code));
    t.is((await bed.send("/.well-known/est/cacerts")).status, 200);
    go.resolve();
    t.is((await slow).status, 200);
  });
});

test("every kind of key that niac knows enrols", async (t) => {
  await withBed(async (bed) => {
    for (const algorithm of x509.KEY_ALGORITHMS) {
      const user = `user-${algorithm}`;
      const { code } = await bed.service.makeCode(subject(user), HOUR, "operator");
      const { der } = await requestFor(user, [], algorithm);
      t.is((await bed.enroll(der, basic(user, code))).status, 200, algorithm);
    }
  });
});

test("a client whose certificate is no good for renewal may still enrol by code and read what is public", async (t) => {
  await withBed(async (bed) => {
    const keys = await x509.generateKey("p256");
    const self = x509.makeCertificate(
      {
        serialNumber: x509.randomSerial(),
        issuer: makeName([["CN", "self"]]),
        subject: makeName([["CN", "self"]]),
        notBefore: Date.now() - HOUR,
        notAfter: Date.now() + HOUR,
        publicKey: x509.publicKeyInfoOf(keys.publicKey),
        extensions: [],
      },
      keys.privateKey,
    );
    const credentials = { cert: certificatePem(self), key: keyPem(keys) };
    t.notThrows(() => createSecureContext(credentials));
    t.is((await bed.send("/.well-known/est/cacerts", { credentials })).status, 200);
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const der = makeRequest({ subject: makeName([["CN", "alice"]]) }, keys);
    t.is((await bed.enroll(der, basic("alice", code), { credentials })).status, 200);
  });
});
