/** Laptops that enrol with a one-time code and renew, over EST from end to end: each on a connection of its own. */
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { enrolmentCode } from "../../src/link/index.ts";
import {
  certificatePem,
  generateKey,
  makeName,
  makeRequest,
  readCertsOnly,
  type KeyPair,
} from "../../src/x509/index.ts";
import { SETTLE } from "./measure.ts";
import { cpuBetween, cpuOfTree } from "./processes.ts";
import { KEY_ALGORITHMS, pemKey, subjectFor, type Authority } from "./trust-appliance.ts";
import type { Algorithm } from "./trust-rows.ts";

/** The listener takes eight connections of one address at once. */
const LANES = 6;
/** Milliseconds. */
const CODE_VALID = 3_600_000;
const PATIENCE = 20_000;
const USER = "engineer-1";

interface Laptop {
  readonly keys: KeyPair;
  /** DER of PKCS#10. */
  readonly request: Buffer;
  readonly code: string;
}

export type EstValues = Readonly<Record<"enroll" | "reenroll" | "enrollCpu" | "reenrollCpu", number>>;

/** A second, and microseconds of niac's CPU; `about` tells rounds apart. */
export async function enrolled(
  authority: Authority,
  algorithm: Algorithm,
  count: number,
  about: string,
): Promise<EstValues> {
  const laptops: Laptop[] = [];
  for (let at = 0; at < count; at++)
    laptops.push(await laptop(authority, algorithm, `laptop-${about}-${at}`));
  const certificates: string[] = [];
  const enroll = await measured(authority, count, async (at) => {
    const { request: wish, code } = laptops[at]!;
    const basic = `Basic ${Buffer.from(`${USER}:${code}`).toString("base64")}`;
    certificates[at] = await post(authority, "simpleenroll", wish, { headers: { Authorization: basic } });
  });
  const reenroll = await measured(authority, count, async (at) => {
    const { request: wish, keys } = laptops[at]!;
    await post(authority, "simplereenroll", wish, { cert: certificates[at]!, key: pemKey(keys) });
  });
  return {
    enroll: enroll.perSecond,
    reenroll: reenroll.perSecond,
    enrollCpu: enroll.cpu,
    reenrollCpu: reenroll.cpu,
  };
}

async function laptop(authority: Authority, algorithm: Algorithm, device: string): Promise<Laptop> {
  const keys = await generateKey(KEY_ALGORITHMS[algorithm]);
  const { code } = await authority.ask(enrolmentCode, {
    subject: subjectFor(USER, device),
    valid: CODE_VALID,
    by: "bench",
  });
  return { keys, request: makeRequest({ subject: makeName([["CN", USER]]) }, keys), code };
}

async function measured(
  { subject }: Authority,
  count: number,
  act: (at: number) => Promise<void>,
): Promise<{ readonly perSecond: number; readonly cpu: number }> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  const before = cpuOfTree(subject.process);
  const begin = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  const elapsed = (performance.now() - begin) / 1_000;
  await sleep(SETTLE);
  return {
    perSecond: count / elapsed,
    cpu: cpuBetween(subject.name, before, cpuOfTree(subject.process)) / count,
  };
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM. */
  readonly cert?: string;
  readonly key?: string;
}

/** PEM of the certificate that comes back. */
function post(
  { trusted, enrollPort }: Authority,
  operation: string,
  wish: Buffer,
  { headers, ...own }: Sent,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const body = wish.toString("base64");
  const outgoing = request(
    {
      host: "127.0.0.1",
      port: enrollPort,
      path: `/.well-known/est/${operation}`,
      method: "POST",
      // Nothing is kept or resumed.
      agent: false,
      ca: trusted,
      timeout: PATIENCE,
      headers: { "Content-Type": "application/pkcs10", "Content-Length": body.length, ...headers },
      ...own,
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", reject);
      incoming.once("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (incoming.statusCode !== 200) {
          reject(new Error(`${operation} is answered ${incoming.statusCode}: ${text.slice(0, 200)}`));
          return;
        }
        const [certificate] = readCertsOnly(Buffer.from(text, "base64"));
        if (certificate === undefined) reject(new Error(`${operation} is answered without a certificate`));
        else resolve(certificatePem(certificate));
      });
    },
  );
  outgoing.once("timeout", () => outgoing.destroy(new Error(`no answer to ${operation}`)));
  outgoing.once("error", reject);
  outgoing.end(body);
  return promise;
}
