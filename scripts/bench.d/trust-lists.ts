/**
 * A revocation list of another authority as control holds it: taken in, then looked up. A process of its own for each of the two, so that
 * what is held is told apart from what reading took.
 *
 *     trust-lists.ts make DIR COUNT     an authority and its list of so many serials, into DIR
 *     trust-lists.ts take DIR           takes it in; prints a line of JSON, name to value
 *     trust-lists.ts check DIR CHECKS   looks so many certificates up; the same
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { pino } from "pino";
import { AuditLog, createRecords, openDatabase } from "../../src/audit/index.ts";
import { createOutside, OutsideAuthorities } from "../../src/revocation/index.ts";
import { systemClock } from "../../src/base/index.ts";
import * as x509 from "../../src/x509/index.ts";

const DAY = 86_400_000;
const NAME = "outside";
/** Certificates looked up before those that are measured. */
const WARM_UP = 2_000;

const [what, dir = "", number = ""] = process.argv.slice(2);
if (what === "make") await make(Number(number));
else if (what === "take") await take();
else if (what === "check") await check(Number(number));
else throw new Error(`there is no "${what}"`);

async function make(count: number): Promise<void> {
  const keys = await x509.generateKey("p256");
  const publicKey = x509.publicKeyInfoOf(keys.publicKey);
  const issuer = x509.makeName([["CN", NAME]]);
  const certificate = x509.makeCertificate(
    {
      serialNumber: x509.randomSerial(),
      issuer,
      subject: issuer,
      notBefore: Date.now() - DAY,
      notAfter: Date.now() + 30 * DAY,
      publicKey,
      extensions: [
        x509.basicConstraints({ ca: true }),
        x509.keyUsage(["keyCertSign", "cRLSign"]),
        x509.subjectKeyIdentifier(publicKey),
      ],
    },
    keys.privateKey,
  );
  const list = x509.makeCrl(
    {
      issuer,
      thisUpdate: Date.now() - 60_000,
      nextUpdate: Date.now() + DAY,
      number: 1n,
      entries: serials(count),
      authorityKeyId: x509.keyIdOf(publicKey),
    },
    keys.privateKey,
  );
  writeFileSync(join(dir, "authority.pem"), x509.certificatePem(certificate));
  writeFileSync(join(dir, "list.crl"), list);
  writeFileSync(join(dir, "count"), String(count));
}

function* serials(count: number): Generator<x509.RevokedSerial> {
  const revokedAt = Date.now() - DAY;
  for (let at = 0; at < count; at++) {
    yield { serialNumber: serialOf(at), revokedAt, reason: "keyCompromise" };
  }
}

/** Sixteen bytes that look random and are the same each time; positive, and without leading zeros. */
function serialOf(at: number): string {
  return `4${createHash("sha256").update(String(at)).digest("hex").slice(1, 32)}`;
}

async function take(): Promise<void> {
  const { outside, close } = open();
  const bytes = readFileSync(join(dir, "list.crl"));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begin = performance.now();
  await outside.importCrl(bytes, "bench");
  const taken = performance.now() - begin;
  delay.disable();
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1_024;
  await close();
  tell({ taken, stall: delay.max / 1e6, peak });
}

/** Every second certificate is on the list. */
async function check(checks: number): Promise<void> {
  const count = Number(readFileSync(join(dir, "count"), "utf8"));
  const { outside, close } = open();
  const look = async (at: number): Promise<void> => {
    const listed = at % 2 === 0;
    const serialNumber = serialOf(listed ? (at * 7_919) % count : count + at);
    const verdict = await outside.check({ authority: NAME, serialNumber }, []);
    const right = verdict !== null && (verdict.refusal?.code === "revoked") === listed;
    if (!right) throw new Error(`wrong verdict on ${serialNumber}: ${JSON.stringify(verdict)}`);
  };
  for (let at = 0; at < WARM_UP; at++) await look(at);
  const begin = process.cpuUsage();
  for (let at = WARM_UP; at < WARM_UP + checks; at++) await look(at);
  const { user, system } = process.cpuUsage(begin);
  const held = memory();
  await close();
  const disk = statSync(join(dir, "niac.db")).size / 1_024 ** 2;
  tell({ check: (user + system) / checks, memory: held, disk });
}

function open(): { readonly outside: OutsideAuthorities; readonly close: () => Promise<void> } {
  const db = openDatabase(join(dir, "niac.db"), [createRecords, createOutside]);
  const audit = new AuditLog(db, "bench");
  const outside = new OutsideAuthorities({
    db,
    clock: systemClock,
    log: pino({ level: "silent" }),
    append: (drafts, urgency) => audit.append(drafts, urgency),
    floor: () => 0,
    changed: () => undefined,
  });
  outside.apply([
    {
      name: NAME,
      certificate: readFileSync(join(dir, "authority.pem"), "utf8"),
      above: [],
      tenant: null,
      tier: null,
      revocation: "crl",
      crlUrl: null,
      crlEvery: DAY,
      ocspUrl: null,
      grace: null,
    },
  ]);
  return {
    outside,
    async close() {
      await outside.stop();
      await audit.close();
      db.close();
    },
  };
}

/** MiB of this process, after its rubbish was collected where that is allowed (--expose-gc). */
function memory(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / 1_024 ** 2;
}

function tell(values: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify(values)}\n`);
}
