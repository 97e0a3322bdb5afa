/** niac with an authority of its own, so that it issues and revokes the certificates its sessions are opened with. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Call, Channel } from "../../src/base/index.ts";
import {
  ADMIN_SOCKET,
  authorityInit,
  authorityIssue,
  authorityTrust,
  dial,
  type EnrolmentSubject,
} from "../../src/link/index.ts";
import {
  generateKey,
  makeName,
  makeRequest,
  toPem,
  type KeyAlgorithm,
  type KeyPair,
} from "../../src/x509/index.ts";
import { ready, subjectOf, type Subject } from "./measure.ts";
import { launch, MAIN, runDirOf, siteDocument } from "./niac.ts";
import { freePort } from "./processes.ts";
import { NIAC } from "./results.ts";
import type { Algorithm } from "./trust-rows.ts";
import type { TrustBench } from "./trust.ts";

export const KEY_ALGORITHMS: Readonly<Record<Algorithm, KeyAlgorithm>> = {
  p256: "p256",
  mlDsa65: "ml-dsa-65",
};
/** In the site document's group by `people`, both. */
export const PEOPLE = ["engineer-1", "engineer-2"] as const;
export type Person = (typeof PEOPLE)[number];

/** PEM texts. */
interface Shown {
  readonly own: { readonly cert: string; readonly key: string };
  readonly ca: string;
}

const run = promisify(execFile);

export function subjectFor(user: string, device: string): EnrolmentSubject {
  return { tier: "managed", tenant: null, user, device, groups: [], role: null, until: null };
}

/** PEM. */
export function pemKey({ privateKey }: KeyPair): string {
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

export class Authority {
  /** niac as the first engineer sees it. */
  readonly subject: Subject;
  /** PEM of the authorities. */
  readonly trusted: string;
  readonly enrollPort: number;
  readonly #channel: Channel;
  readonly #port: number;
  readonly #algorithm: Algorithm;
  readonly #runDir: string;

  private constructor(
    made: Pick<Authority, "subject" | "trusted" | "enrollPort">,
    channel: Channel,
    port: number,
    algorithm: Algorithm,
    runDir: string,
  ) {
    this.subject = made.subject;
    this.trusted = made.trusted;
    this.enrollPort = made.enrollPort;
    this.#channel = channel;
    this.#port = port;
    this.#algorithm = algorithm;
    this.#runDir = runDir;
  }

  /** Resolves when it serves the first engineer. */
  static async start({ stage, cleanup }: TrustBench, algorithm: Algorithm): Promise<Authority> {
    const [port, enrollPort, services] = [await freePort(), await freePort(), await freePort()];
    const place = stage.place();
    const { process, apply } = launch(place, [], {
      NIAC_LISTEN_MODBUS: `127.0.0.1:${port}`,
      NIAC_LISTEN_SERVICES: `127.0.0.1:${services}`,
      NIAC_LISTEN_ENROLL: `127.0.0.1:${enrollPort}`,
      NIAC_TLS_CERTIFICATE: "",
      NIAC_TLS_KEY: "",
      NIAC_TLS_CLIENT_CA: "",
      NIAC_TPM: "none",
      NIAC_LOG_LEVEL: "warn",
    });
    cleanup.add(() => process.kill());
    await apply(siteDocument(place.machinePort, { people: PEOPLE, connections: 16_384 }));
    const runDir = runDirOf(place);
    const channel = await dial(join(runDir, ADMIN_SOCKET), "bench");
    cleanup.add(() => channel.close());
    await channel.call(authorityInit, {
      name: "Bench",
      algorithm: KEY_ALGORITHMS[algorithm],
      tenants: [],
      lifetimes: {},
      crlUrl: null,
      by: "bench",
    });
    const trusted = (await channel.call(authorityTrust, null)).pem;
    const credentials = { own: await issued(channel, algorithm, "engineer-1"), ca: trusted };
    const subject = subjectOf(NIAC, process, port, credentials);
    await ready(subject);
    return new Authority({ subject, trusted, enrollPort }, channel, port, algorithm, runDir);
  }

  ask<Params, Result>(call: Call<Params, Result>, params: Params): Promise<Result> {
    return this.#channel.call(call, params);
  }

  /** A certificate issued now, and where it is good. */
  async credentialsFor(person: Person): Promise<{ readonly port: number } & Shown> {
    const own = await issued(this.#channel, this.#algorithm, person);
    return { port: this.#port, own, ca: this.trusted };
  }

  /** A command of niac's as an administrator types it. */
  async type(...words: readonly string[]): Promise<void> {
    await run(process.execPath, [MAIN, ...words], { env: { ...process.env, NIAC_RUN_DIR: this.#runDir } });
  }

  async stop(): Promise<void> {
    this.#channel.close();
    await this.subject.process.stop();
  }
}

async function issued(channel: Channel, algorithm: Algorithm, user: Person): Promise<Shown["own"]> {
  const keys = await generateKey(KEY_ALGORITHMS[algorithm]);
  const request = makeRequest({ subject: makeName([["CN", user]]) }, keys);
  const { chain } = await channel.call(authorityIssue, {
    ...subjectFor(user, `laptop-of-${user}`),
    request: toPem(request, "CERTIFICATE REQUEST"),
    by: "bench",
  });
  return { cert: chain, key: pemKey(keys) };
}
