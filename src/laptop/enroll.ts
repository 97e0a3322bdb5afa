import { X509Certificate } from "node:crypto";
import { type EstAuth, type EstClient, estClient, keyWords } from "../est/index.ts";
import { durationText, messageOf, NiacError, UnavailableError, UsageError } from "../base/index.ts";
import { certificatePem } from "../x509/index.ts";
import { comparedTrust } from "./box.ts";
import { readCode } from "./code.ts";
import { commonName } from "./credentials.ts";
import type { EnrollOptions } from "./enroll-options.ts";
import { keyFor } from "./pending.ts";
import type { LaptopKey } from "./laptop-key.ts";
import { pause } from "./pause.ts";
import { profilesDirectory } from "./places.ts";
import { firstNames } from "./request-names.ts";
import { signIn } from "./sign-in.ts";
import { ProfileStore } from "./store.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

/** Milliseconds of patience with a box that is away while a request waits there. */
const AWAY = 30_000;

/** Enrols this laptop and installs the profile. Rejects with what the person is to be told; whatever profile there was is then untouched. */
export async function enroll(options: EnrollOptions, around: LaptopSurroundings): Promise<void> {
  const store = new ProfileStore(profilesDirectory(around), options.profile);
  refuseToOverwrite(store, options.again);
  const trust = options.trust ?? (await comparedTrust(options.box, around));
  const client = estClient({
    url: options.box,
    trust,
    ...(options.label === null ? {} : { label: options.label }),
  });
  // Nothing is typed and no key is made for a box that is not the right one.
  await client.trusted();
  const authorities = await client.cacerts();
  const key = await keyFor(store, options, around);
  const issued = await certified(store, options, client, key, around);
  const [leaf] = issued;
  if (leaf === undefined) throw new UsageError("no-certificate", `${options.box} sent no certificate`);
  const certificate = new X509Certificate(leaf);
  checkClock(certificate, options.box);
  const user = commonName(certificate);
  store.install({
    profile: {
      version: 1,
      box: options.box,
      label: options.label,
      via: options.via,
      appliance: options.appliance,
      user,
      device: options.device,
      algorithm: options.algorithm,
      token: key.token,
    },
    identity: identityText(key, issued),
    ca: authoritiesText(authorities, issued),
  });
  around.print(
    `Enrolled as ${user} on ${options.device}; the certificate is valid until ${certificate.validTo}.`,
  );
  around.print(`Installed in ${store.directory}.`);
  around.print("");
  around.print("What you may use:      niac machines");
  around.print("Open a machine:        niac connect <machine>");
  around.print("Renew by itself:       niac renew --install");
}

/** Key, certificate and what stands between it and the root: what a laptop shows in a handshake. */
export function identityText(key: LaptopKey, issued: readonly Buffer[]): string {
  const shown = issued.length > 1 ? issued.slice(0, -1) : issued;
  return key.pem + shown.map((der) => certificatePem(der)).join("");
}

/** Whatever the box says it is checked by, and the root the certificate comes from; each once. */
export function authoritiesText(authorities: readonly Buffer[], issued: readonly Buffer[]): string {
  return [...new Set([...authorities, ...issued.slice(1).slice(-1)].map((der) => certificatePem(der)))].join(
    "",
  );
}

function refuseToOverwrite(store: ProfileStore, again: boolean): void {
  if (again) return;
  const profile = store.read();
  if (profile === null) return;
  throw new UsageError(
    "profile-exists",
    `profile ${JSON.stringify(store.name)} is enrolled already: ${profile.user} on ${profile.device}, at ${profile.box}`,
    "Take another with --profile NAME, or replace it with --again; it stays as it is until the new certificate is there.",
  );
}

async function authorization(
  options: EnrollOptions,
  client: EstClient,
  key: LaptopKey,
  around: LaptopSurroundings,
): Promise<EstAuth | null> {
  if (options.signIn) return { bearer: await signIn(client, key.publicKeyInfo, around) };
  const code = await readCode(options, around);
  if (code === null) return null;
  if (options.user !== null) return { user: options.user, code };
  throw new UsageError("enroll-user", "a one-time code is for one person", "Say who you are: --user NAME.");
}

/** A key whose request was refused is refused again: it is forgotten, and kept where the request still waits or nobody answered. */
async function certified(
  store: ProfileStore,
  options: EnrollOptions,
  client: EstClient,
  key: LaptopKey,
  around: LaptopSurroundings,
): Promise<readonly Buffer[]> {
  try {
    const auth = await authorization(options, client, key, around);
    const request = await key.request(firstNames(options.user, options.device));
    return await issuedFor(client, request, key, auth, around);
  } catch (error) {
    if (error instanceof NiacError && REFUSED.has(error.code)) {
      store.forgetPending();
      // What is to be told is why the request was refused, not that a key is left over.
      await key.forget().catch((left: unknown) => around.complain(messageOf(left)));
    }
    throw error;
  }
}

const REFUSED = new Set(["est-refused", "est-other-key", "est-chain"]);

/** DER of the certificate and what is above it. Asks again for as long as an administrator has not decided. */
async function issuedFor(
  client: EstClient,
  request: Buffer,
  key: LaptopKey,
  auth: EstAuth | null,
  around: LaptopSurroundings,
): Promise<readonly Buffer[]> {
  let answer = await client.enroll(request, auth);
  if (answer.kind === "issued") return answer.certificates;
  around.print("The request waits for the plant admin's approval. On the box: niac enrolment requests");
  around.print(`The words of this laptop's key, to be compared there: ${keyWords(key.publicKeyInfo)}`);
  const stop = new AbortController();
  void around.interrupted().then(() => stop.abort());
  const since = Date.now();
  while (answer.kind === "wait") {
    await pause(answer.retryAfter, stop.signal);
    if (stop.signal.aborted) {
      throw new UsageError(
        "enroll-interrupted",
        `the request was not approved yet after ${durationText(Date.now() - since)}`,
        "It stays at the box: run the same command again, and it goes on with the same key.",
      );
    }
    answer = await askAgain(client, request, auth, around);
    if (answer.kind === "wait") around.print(`Still waiting, since ${durationText(Date.now() - since)}.`);
  }
  return answer.certificates;
}

/** A box that is away for a while, or restarts, is no reason to give a waiting request up. */
async function askAgain(
  client: EstClient,
  request: Buffer,
  auth: EstAuth | null,
  around: LaptopSurroundings,
): ReturnType<EstClient["enroll"]> {
  try {
    return await client.enroll(request, auth);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    around.print(`${messageOf(error)}; trying on.`);
    return { kind: "wait", retryAfter: AWAY };
  }
}

function checkClock(certificate: X509Certificate, box: string): void {
  const from = Date.parse(certificate.validFrom);
  if (Date.now() >= from) return;
  throw new UsageError(
    "clock",
    `the certificate from ${box} is valid from ${certificate.validFrom} on, and this computer's clock says ${new Date().toISOString()}`,
    "Set this computer's clock and run the command again.",
  );
}
