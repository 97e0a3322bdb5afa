/** What the plant's authority writes, as the openssl command line judges it. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { AuthorityKeys } from "../../../src/authority/ca-keys.ts";
import * as x509 from "../../../src/x509/index.ts";
import {
  ALICE,
  asked,
  DAY,
  directory,
  initialised,
  issued,
  memoryKeyring,
  type Bed,
} from "../../unit/authority/plant-bed.ts";

interface Said {
  readonly code: number | null;
  readonly text: string;
}

function openssl(...args: readonly string[]): Said {
  const { status, stdout, stderr } = spawnSync("/usr/bin/openssl", [...args], { encoding: "utf8" });
  return { code: status, text: stdout + stderr };
}

/** Files of a plant: roots, authorities between, lists. */
class Files {
  readonly #dir: string;

  constructor(t: ExecutionContext) {
    this.#dir = directory(t);
  }

  write(name: string, content: string | Buffer): string {
    const path = join(this.#dir, name);
    writeFileSync(path, content);
    return path;
  }

  /** Of all that stands. */
  plant(bed: Bed): { readonly roots: string; readonly between: string; readonly lists: string } {
    const { store } = bed.plant;
    const pem = (roles: readonly string[]): string =>
      store.authorities
        .filter((each) => roles.includes(each.role))
        .map(({ certificate }) => x509.certificatePem(certificate))
        .join("");
    const lists = store.authorities.map(({ id }) =>
      x509.toPem(bed.plant.crl(String(id)) ?? Buffer.alloc(0), "X509 CRL"),
    );
    return {
      roots: this.write("roots.pem", pem(["root"])),
      between: this.write("between.pem", pem(["issuing", "infrastructure"])),
      lists: this.write("lists.pem", lists.join("")),
    };
  }
}

function verify(
  { roots, between, lists }: ReturnType<Files["plant"]>,
  leaf: string,
  purpose: string,
  ...more: string[]
): Said {
  const chain = [
    "-CAfile",
    roots,
    "-untrusted",
    between,
    "-CRLfile",
    lists,
    "-crl_check_all",
    "-x509_strict",
  ];
  return openssl("verify", ...chain, "-purpose", purpose, ...more, leaf);
}

// OpenSSL 3.0 of the computer knows no ML-DSA; Node's own verifies those.
for (const algorithm of ["p256", "p384", "ed25519"] as const) {
  test(`${algorithm}: openssl verifies laptops and appliances with all lists, and finds who was revoked`, async (t) => {
    const bed = await initialised(t, { algorithm, tenants: ["acme"] });
    const files = new Files(t);
    const alice = files.write("alice.pem", x509.certificatePem((await issued(bed)).certificate));
    const dotted = await issued(bed, {
      ...ALICE,
      user: "alice.smith",
      tenant: "acme",
      tier: "byod",
      role: "Engineer",
    });
    const smith = files.write("smith.pem", x509.certificatePem(dotted.certificate));
    const { request } = await asked();
    const names = { commonName: "box.plant.example", dns: ["box.plant.example"], ip: ["10.0.0.1"] };
    const own = await bed.plant.infrastructure(request, names, DAY, "gateway");
    const box = files.write("box.pem", x509.certificatePem(own.certificate));

    const plant = files.plant(bed);
    t.deepEqual(verify(plant, alice, "sslclient"), { code: 0, text: `${alice}: OK\n` });
    t.deepEqual(verify(plant, smith, "sslclient"), { code: 0, text: `${smith}: OK\n` });
    for (const purpose of ["sslserver", "sslclient"]) t.is(verify(plant, box, purpose).code, 0);
    t.is(verify(plant, box, "sslserver", "-verify_hostname", "box.plant.example").code, 0);
    t.not(verify(plant, box, "sslserver", "-verify_hostname", "press-4.plant.example").code, 0);
    t.regex(verify(plant, alice, "sslserver").text, /unsuitable certificate purpose/);

    await bed.plant.revoke("user", "alice", "lost", "admin");
    t.regex(
      verify(files.plant(bed), alice, "sslclient").text,
      /error 23 at 0 depth lookup: certificate revoked/,
    );
    t.is(verify(files.plant(bed), smith, "sslclient").code, 0);
    await bed.plant.revoke("authority", "byod acme 7", "its key was copied", "admin");
    t.regex(
      verify(files.plant(bed), smith, "sslclient").text,
      /error 23 at 1 depth lookup: certificate revoked/,
    );
  });
}

test("after a new root both chains verify", async (t) => {
  const bed = await initialised(t);
  const files = new Files(t);
  const old = files.write("old.pem", x509.certificatePem((await issued(bed)).certificate));
  await bed.plant.rotate({ root: true, infrastructure: false, tier: null, tenant: null }, "p384", "admin");
  const fresh = files.write("fresh.pem", x509.certificatePem((await issued(bed)).certificate));
  const plant = files.plant(bed);
  for (const leaf of [old, fresh]) t.is(verify(plant, leaf, "sslclient").code, 0);
});

/** Signs with an authority's own key what it would never sign by itself. */
async function misused(
  bed: Bed,
  keys: AuthorityKeys,
  name: string,
  extensions: readonly Buffer[],
): Promise<string> {
  const authority = bed.plant.store.authorities.find((each) => each.name === name);
  if (authority === undefined) throw new Error(`there is no authority ${name}`);
  const above = x509.readCertificate(authority.certificate);
  const { request } = await asked();
  const der = x509.makeCertificate(
    {
      serialNumber: x509.randomSerial(),
      issuer: above.subjectDer,
      subject: x509.makeName([["CN", "mallory"]]),
      notBefore: bed.time.now - 1_000,
      notAfter: bed.time.now + DAY,
      publicKey: request.publicKeyInfo,
      extensions: [
        ...extensions,
        x509.subjectKeyIdentifier(request.publicKeyInfo),
        x509.authorityKeyIdentifier(x509.keyIdOf(above.publicKeyInfo)),
      ],
    },
    await keys.of(authority),
  );
  return x509.certificatePem(der);
}

test("whoever had an authority's key could not do another's work with it", async (t) => {
  const keyring = memoryKeyring();
  const bed = await initialised(t, { keyring: () => Promise.resolve(keyring) });
  const keys = new AuthorityKeys(() => Promise.resolve(keyring));
  const files = new Files(t);
  const plant = files.plant(bed);
  const leaf = [x509.basicConstraints({ ca: false }), x509.keyUsage(["digitalSignature"])];
  const server = [...leaf, x509.extendedKeyUsage(["serverAuth"])];
  const client = [...leaf, x509.extendedKeyUsage(["clientAuth"])];
  const box = x509.subjectAltName([{ dns: "box.plant.example" }]);
  const urn = x509.subjectAltName([{ uri: "urn:niac:group:admins" }]);
  const attempts: [
    what: string,
    authority: string,
    purpose: string,
    extensions: Buffer[],
    refused: RegExp,
  ][] = [
    [
      "a laptops' authority makes a server",
      "managed 3",
      "sslserver",
      [...server, box],
      /unsuitable certificate purpose/,
    ],
    [
      "the infrastructure makes a member of a group",
      "infrastructure 2",
      "sslclient",
      [...client, urn],
      /error 53 at 0 depth lookup: unsupported or invalid name syntax/,
    ],
  ];
  for (const [what, authority, purpose, extensions, refused] of attempts) {
    const path = files.write("attempt.pem", await misused(bed, keys, authority, extensions));
    t.regex(verify(plant, path, purpose).text, refused, what);
  }
  // An authority below an issuing one: the path length of 0 forbids it.
  const between = await misused(bed, keys, "managed 3", [
    x509.basicConstraints({ ca: true }),
    x509.keyUsage(["keyCertSign", "cRLSign"]),
  ]);
  const child = files.write("child.pem", between);
  t.not(verify(plant, child, "sslclient").code, 0);
  // The same names rightly: what was refused above is the misuse and not the certificate.
  const good = files.write("good.pem", await misused(bed, keys, "managed 3", [...client, urn]));
  t.is(verify(plant, good, "sslclient").code, 0);
});

test("requests that openssl makes are taken or refused for what they ask", async (t) => {
  const bed = await initialised(t);
  const files = new Files(t);
  const request = (subject: string, key: readonly string[], ...more: string[]) => {
    const path = files.write("request.pem", "");
    const made = openssl(
      "req",
      "-new",
      "-nodes",
      ...key,
      "-keyout",
      `${path}.key`,
      "-out",
      path,
      "-subj",
      subject,
      ...more,
    );
    t.is(made.code, 0, made.text);
    const [der] = x509.pemToDer(readFileSync(path, "utf8"), "CERTIFICATE REQUEST");
    return x509.readRequest(der ?? Buffer.alloc(0));
  };
  const p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const fine: [subject: string, key: string[], ...more: string[]][] = [
    ["/CN=alice", p256],
    ["/", p256],
    ["/CN=alice", ["-newkey", "rsa:2048"]],
    ["/CN=alice", ["-newkey", "ed25519"], "-addext", "subjectAltName=URI:urn:niac:device:laptop-7"],
    ["/CN=alice", p256, "-addext", "extendedKeyUsage=clientAuth", "-addext", "keyUsage=digitalSignature"],
  ];
  for (const each of fine)
    await t.notThrowsAsync(bed.plant.issue(request(...each), ALICE, "admin"), each.join(" "));
  const before = bed.plant.store.all({}, 100).length;
  const bad: [code: string, subject: string, key: string[], ...more: string[]][] = [
    ["weak-key", "/CN=alice", ["-newkey", "rsa:1024"]],
    ["algorithm-refused", "/CN=alice", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"]],
    ["name-refused", "/CN=bob", p256],
    ["name-refused", "/O=Plant 7/CN=alice", p256],
    ["name-refused", "/CN=alice", p256, "-addext", "subjectAltName=DNS:box.plant.example"],
    ["extension-refused", "/CN=alice", p256, "-addext", "basicConstraints=CA:TRUE"],
    ["extension-refused", "/CN=alice", p256, "-addext", "extendedKeyUsage=serverAuth"],
  ];
  for (const [code, ...each] of bad) {
    await t.throwsAsync(bed.plant.issue(request(...each), ALICE, "admin"), { code }, each.join(" "));
  }
  t.is(bed.plant.store.all({}, 100).length, before);
});
