/** The enrolment listener with an intake of posture reports behind it, and a laptop that has a certificate. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { PostureIntake } from "../../src/enrolment/posture-intake.ts";
import type { RecordDraft } from "../../src/audit/index.ts";
import { postureKey, type PostureReport, type RevocationVerdict } from "../../src/link/index.ts";
import { reportedDevice, standingOf } from "../../src/policy/index.ts";
import type { PostureRequirement } from "../../src/site/index.ts";
import * as x509 from "../../src/x509/index.ts";
import { basic, EstBed, keyPem, requestFor, subject, type Got, type Sent } from "./est-bed.ts";
import { GOOD, laptopReport } from "./posture.ts";

export const HOUR = 3_600_000;
export const PATH = "/.well-known/niac/posture";
const FINE: RevocationVerdict = { refusal: null, grace: null };
export const DEVICE = "laptop-of-alice";
export const mdm = generateKeyPairSync("ed25519");
export const ENCRYPTED: PostureRequirement = {
  name: "encrypted",
  maxAge: HOUR,
  signedBy: "any",
  diskEncryption: true,
  edr: null,
  osVersion: null,
};
const TRUST = {
  authorities: [],
  signIn: null,
  postureSigners: [{ name: "mdm-1", key: mdm.publicKey.export({ type: "spki", format: "pem" }).toString() }],
};

export class PostureBed {
  readonly kept: PostureReport[] = [];
  readonly summed: RecordDraft[] = [];
  readonly est: EstBed;
  readonly intake: PostureIntake;
  verdict: RevocationVerdict = FINE;
  failure: Error | null = null;
  /** Awaited before each report is kept. */
  pause: Promise<void> = Promise.resolve();
  /** What is listed of the authority that issued the laptop's certificate. */
  issuing = { outside: false };
  key: KeyObject;
  certificate: Buffer = Buffer.alloc(0);
  credentials: { readonly cert: string; readonly key: string } | null = null;

  private constructor(est: EstBed, intake: PostureIntake) {
    this.est = est;
    this.intake = intake;
    this.key = mdm.privateKey;
  }

  static async open(): Promise<PostureBed> {
    let bed: PostureBed | null = null;
    const there = (): PostureBed => {
      if (bed === null) throw new Error("the bed is not open yet");
      return bed;
    };
    const intake = new PostureIntake({
      site: () => ({ postures: [ENCRYPTED], trust: TRUST }),
      issuers: () => there().est.issuer.plant.authorities(),
      deviceOf: (identity) =>
        reportedDevice(identity, new Map([[identity.authority ?? "", there().issuing]])),
      held: (of) => there().kept.findLast((one) => postureKey(one) === postureKey(of)) ?? null,
      async keep(report) {
        await there().pause;
        const { failure } = there();
        if (failure !== null) throw failure;
        there().kept.push(report);
      },
      standings: (of) => [
        { name: "encrypted", ...standingOf(ENCRYPTED, of, there().kept, new Set(["mdm-1"])) },
      ],
      check: () => Promise.resolve(there().verdict),
      append(drafts) {
        there().summed.push(...drafts);
        return Promise.resolve();
      },
      now: () => Date.now(),
    });
    bed = new PostureBed(await EstBed.open({ posture: intake.handle }), intake);
    await bed.#enroll();
    return bed;
  }

  async #enroll(): Promise<void> {
    const { code } = await this.est.service.makeCode(subject("alice"), HOUR, "operator");
    const { der, keys } = await requestFor("alice");
    const got = await this.est.enroll(der, basic("alice", code));
    const [certificate = Buffer.alloc(0)] = x509.readCertsOnly(Buffer.from(got.text, "base64"));
    this.key = keys.privateKey;
    this.certificate = certificate;
    this.credentials = { cert: x509.certificatePem(certificate), key: keyPem(keys) };
  }

  post(body: string, sent: Sent = {}): Promise<Got> {
    return this.est.send(PATH, { headers: { "Content-Type": "application/jwt" }, body, ...sent });
  }

  /** As the laptop itself. */
  report(at: number, facts: unknown = GOOD): Promise<Got> {
    const { credentials } = this;
    if (credentials === null) throw new Error("the laptop has no certificate");
    return this.post(laptopReport(this.key, this.certificate, DEVICE, at, facts), { credentials });
  }
}

export async function withBed(body: (bed: PostureBed) => Promise<void>): Promise<void> {
  const bed = await PostureBed.open();
  try {
    await body(bed);
  } finally {
    await bed.est.close();
  }
}
