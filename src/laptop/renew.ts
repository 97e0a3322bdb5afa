import { closeSync, readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { estClient, type EstOptions } from "../est/index.ts";
import { durationText, messageOf, NiacError, UnavailableError, UsageError } from "../base/index.ts";
import { authoritiesText, identityText } from "./enroll.ts";
import { readIdentityFile, type IdentityFile } from "./identity-file.ts";
import { newFileKey, type LaptopKey } from "./laptop-key.ts";
import { loadTokenCredentials } from "./credentials.ts";
import { dialHost } from "./dial.ts";
import { pause } from "./pause.ts";
import { pinDescriptor } from "./pin.ts";
import type { Profile } from "./profile.ts";
import { sameNames } from "./request-names.ts";
import { renewalTime, retryPause } from "./schedule.ts";
import type { ProfileStore } from "./store.ts";
import { WRONG_PIN } from "./token-tool.ts";
import { openTokenKey, tokenUse } from "./token-key.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

/** Milliseconds after which a waiting computer looks at its clock again: it may have slept, or been set. */
const LOOK_AGAIN = 3_600_000;

/** Renews where it is due, or `now`; says what was done. Rejects where it failed: what there was stays in use. */
export async function renewOnce(
  store: ProfileStore,
  now: boolean,
  around: LaptopSurroundings,
): Promise<void> {
  const profile = store.demand();
  const current = readIdentityFile(store.identityFile);
  const due = renewalTime(current, current.certificate);
  if (!now && Date.now() < due) {
    const left = durationText(current.notAfter - Date.now());
    around.print(
      `The certificate of ${profile.user} is valid for ${left} more; it is renewed from ${day(due)} on.`,
    );
    return;
  }
  try {
    await renew(store, profile, current, around);
  } catch (error) {
    around.complain(staysInUse(current));
    throw error;
  }
  tell(store, profile, around);
}

/** Renews whenever it is due, until the person has had enough. Rejects only where there is nothing left to renew with. */
export async function renewAlways(store: ProfileStore, around: LaptopSurroundings): Promise<void> {
  const stop = new AbortController();
  void around.interrupted().then(() => stop.abort());
  let failures = 0;
  while (!stop.signal.aborted) {
    const profile = store.demand();
    const current = readIdentityFile(store.identityFile);
    const wait = renewalTime(current, current.certificate) - Date.now();
    if (wait > 0) {
      await pause(Math.min(wait, LOOK_AGAIN), stop.signal);
      continue;
    }
    try {
      await renew(store, profile, current, around);
      failures = 0;
      tell(store, profile, around);
    } catch (error) {
      if (!(error instanceof NiacError) || FINAL.has(error.code)) throw error;
      failures++;
      const next = retryPause(failures, current, Math.random());
      around.complain(`The renewal failed: ${messageOf(error)}. ${error.advice ?? ""}`.trimEnd());
      around.complain(`${staysInUse(current)} Next try in ${durationText(next)}.`);
      await pause(next, stop.signal);
    }
  }
}

const EXPIRED = "certificate-expired";
/** What no later try mends; a wrong PIN tried again would lock the token. */
const FINAL = new Set([EXPIRED, WRONG_PIN]);

async function renew(
  store: ProfileStore,
  profile: Profile,
  current: IdentityFile,
  around: LaptopSurroundings,
): Promise<void> {
  if (Date.now() >= current.notAfter) {
    throw new UsageError(
      EXPIRED,
      `the certificate of ${profile.user} has ended on ${day(current.notAfter)}, and an ended one cannot be renewed`,
      `Look at this computer's clock; if it is right, enrol anew: niac enroll ${profile.box} --again`,
    );
  }
  const { key, credentials, release } = await proof(store, profile, current, around);
  try {
    await exchange(store, profile, current, key, credentials);
  } finally {
    release();
  }
}

async function exchange(
  store: ProfileStore,
  profile: Profile,
  current: IdentityFile,
  key: LaptopKey,
  credentials: Proof["credentials"],
): Promise<void> {
  const client = estClient({
    url: profile.box,
    trust: { ca: readFileSync(store.caFile, "utf8") },
    credentials,
    ...(profile.label === null ? {} : { label: profile.label }),
  });
  const answer = await client.reenroll(await key.request(sameNames(current.certificate)));
  if (answer.kind === "wait") {
    throw new UnavailableError(
      "renew-waits",
      `${profile.box} wants the plant admin's approval for this renewal`,
      "On the box: niac enrolment requests",
    );
  }
  store.renew(
    identityText(key, answer.certificates),
    authoritiesText(await client.cacerts(), answer.certificates),
  );
}

interface Proof {
  /** The key to be certified. */
  readonly key: LaptopKey;
  /** How the current certificate is shown. */
  readonly credentials: NonNullable<EstOptions["credentials"]>;
  readonly release: () => void;
}

/** A token keeps its key, which nobody can have copied; one in a file is made anew. */
async function proof(
  store: ProfileStore,
  { box, token, algorithm }: Profile,
  current: IdentityFile,
  around: LaptopSurroundings,
): Promise<Proof> {
  if (token === null) {
    const credentials = { certificate: current.chain, key: current.key ?? "" };
    return { key: await newFileKey(algorithm), credentials, release: () => {} };
  }
  const use = await tokenUse(token, around);
  const key = await openTokenKey(use, algorithm);
  const descriptor = pinDescriptor(use.pin, around.lookup("XDG_RUNTIME_DIR"));
  const access = { ...use, pin: descriptor };
  const files = { certificate: store.identityFile, ca: store.caFile, key: "" };
  const { own } = loadTokenCredentials(files, access);
  const tunnel = (): Duplex => dialHost(box, access, own);
  return { key, credentials: { tunnel }, release: () => closeSync(descriptor) };
}

function tell(store: ProfileStore, { user }: Profile, around: LaptopSurroundings): void {
  const { notAfter } = readIdentityFile(store.identityFile);
  around.print(`Renewed: the certificate of ${user} is valid until ${new Date(notAfter).toUTCString()}.`);
}

function staysInUse({ notAfter }: IdentityFile): string {
  const left = notAfter - Date.now();
  if (left <= 0) return "The certificate has ended.";
  return `The certificate in use stays, and is valid for ${durationText(left)} more.`;
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
