/** strongSwan's `pki` as EST client. Its plugins for elliptic curves are Debian's libstrongswan-standard-plugins. */
import { spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { EstBed, subject } from "../../support/est-bed.ts";
import { until } from "../../support/processes.ts";

/** The system's own: node_modules/.bin has another program of that name. */
const PKI = "/usr/bin/pki";
const HOUR = 3_600_000;

/** Why it cannot be done here; null: it can. */
function missing(): string | null {
  if (!existsSync(PKI)) return "strongswan-pki";
  const list = spawnSync(PKI, ["--gen", "--type", "ecdsa", "--size", "256"]);
  return list.status === 0 ? null : "libstrongswan-standard-plugins";
}

const lack = missing();
function withStrongswan(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (lack === null) test(title, body);
  else test.skip(`${title} (missing here: ${lack})`, body);
}

interface Ran {
  readonly status: number;
  readonly output: Buffer;
  readonly errors: string;
}

function run(bed: EstBed, command: string, args: readonly string[]): Promise<Ran> {
  const child = spawn(command, args, { cwd: bed.dir });
  const output: Buffer[] = [];
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.end();
  return new Promise((resolve) =>
    child.once("close", (status) => resolve({ status: status ?? -1, output: Buffer.concat(output), errors })),
  );
}

/** `name`.key and `name`.csr (PKCS#10, DER). */
async function makeRequest(bed: EstBed, name: string, user: string): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`];
  const out = ["-subj", `/CN=${user}`, "-outform", "DER", "-out", `${name}.csr`];
  await run(bed, "openssl", ["req", "-new", ...key, ...out]);
}

async function authorities(bed: EstBed): Promise<string[]> {
  const out = ["--caout", "ca", "--outform", "pem"];
  await run(bed, PKI, ["--estca", "--url", bed.base, "--cacert", bed.rootFile, ...out]);
  const files = readdirSync(bed.dir).filter((name) => /^ca.*\.pem$/.test(name));
  return files.flatMap((name) => ["--cacert", name]);
}

function asked(bed: EstBed, cacerts: readonly string[], name: string, more: readonly string[]): Promise<Ran> {
  const what = ["--est", "--url", bed.base, "--in", `${name}.csr`, "--outform", "pem"];
  return run(bed, PKI, [...what, ...cacerts, ...more]);
}

withStrongswan(
  "strongSwan fetches the authorities, enrols by code, and re-enrols by its certificate",
  async (t) => {
    const bed = await EstBed.open();
    try {
      const cacerts = await authorities(bed);
      t.is(
        cacerts.length / 2,
        bed.issuer.cacerts().length,
        "root, infrastructure and one authority for each tier",
      );
      const given = cacerts
        .filter((text) => text !== "--cacert")
        .map((file) => new X509Certificate(readFileSync(join(bed.dir, file))).fingerprint256)
        .toSorted();
      const held = bed.issuer.cacerts().map((der) => new X509Certificate(der).fingerprint256);
      t.deepEqual(given, held.toSorted());

      await makeRequest(bed, "first", "alice");
      const { code } = await bed.service.makeCode(subject("alice", { groups: ["line 4"] }), HOUR, "operator");
      const enrolled = await asked(bed, cacerts, "first", ["--userpass", `alice:${code}`]);
      t.is(enrolled.status, 0, enrolled.errors);
      t.is(new X509Certificate(enrolled.output).subject, "CN=alice");
      writeFileSync(join(bed.dir, "first.crt"), enrolled.output);

      await makeRequest(bed, "second", "alice");
      const credentials = ["--cert", "first.crt", "--key", "first.key"];
      const renewed = await asked(bed, cacerts, "second", credentials);
      t.is(renewed.status, 0, renewed.errors);
      const next = new X509Certificate(renewed.output);
      t.is(next.subject, "CN=alice");
      t.true(next.subjectAltName?.includes("urn:niac:group:line%204"));
      t.is(bed.issuer.renewed.length, 1);

      await makeRequest(bed, "third", "bob");
      const refused = await asked(bed, cacerts, "third", credentials);
      t.not(refused.status, 0);
      t.is(bed.issuer.issuedFor.length, 2);
    } finally {
      await bed.close();
    }
  },
);

withStrongswan("strongSwan polls while its request waits for approval", async (t) => {
  const bed = await EstBed.open();
  try {
    const cacerts = await authorities(bed);
    await makeRequest(bed, "first", "alice");
    const polling = asked(bed, cacerts, "first", ["--interval", "1", "--maxpolltime", "60"]);
    await until(() => bed.service.waiting().length === 1, "the request to wait");
    const [{ id } = { id: "" }] = bed.service.waiting();
    await bed.service.approve(id, subject("alice"), "operator");
    const enrolled = await polling;
    t.is(enrolled.status, 0, enrolled.errors);
    t.is(new X509Certificate(enrolled.output).subject, "CN=alice");
  } finally {
    await bed.close();
  }
});

withStrongswan("strongSwan with a wrong code gets nothing", async (t) => {
  const bed = await EstBed.open();
  try {
    const cacerts = await authorities(bed);
    await makeRequest(bed, "first", "alice");
    const refused = await asked(bed, cacerts, "first", ["--userpass", "alice:0000-0000-0000-0000"]);
    t.not(refused.status, 0);
    t.is(bed.issuer.issuedFor.length, 0);
  } finally {
    await bed.close();
  }
});
