/** An appliance that has its certificates from its own authority, and clients with certificates of it. */
import { generateKeyPairSync } from "node:crypto";
import { authorityInit, authorityIssue, authorityTrust } from "../../src/link/index.ts";
import { makeName, makeRequest, toPem } from "../../src/x509/index.ts";
import { Appliance, APPLIANCE, type ApplianceOptions } from "./appliance.ts";
import { freePort } from "./ports.ts";
import type { Teardown } from "./processes.ts";

/** PEM texts. */
export interface Laptop {
  readonly chainPem: string;
  readonly keyPem: string;
}

/** The settings of an appliance without files for TLS. */
export const NO_FILES = {
  NIAC_TLS_CERTIFICATE: "",
  NIAC_TLS_KEY: "",
  NIAC_TLS_CLIENT_CA: "",
  NIAC_TPM: "none",
};

export class AuthorityBed {
  readonly appliance: Appliance;

  private constructor(appliance: Appliance) {
    this.appliance = appliance;
  }

  /** With an authority made and the site document applied, and the gateway listening. */
  static async start(t: Teardown, options: ApplianceOptions): Promise<AuthorityBed> {
    const bed = await AuthorityBed.prepare(t, options);
    const { appliance } = bed;
    const parts = options.parts ?? ["up"];
    for (const part of parts) appliance.launch(part);
    await appliance.logged("control is ready");
    await bed.init();
    await appliance.logged("gateway is ready");
    if (options.site !== null) await bed.apply(options.site);
    return bed;
  }

  /** Resolves when the gateway's certificate has the names of the document: it is made anew after the document is in force. */
  async apply(site: string): Promise<void> {
    await this.appliance.apply(site);
    const machine = /^machines:\n {2}([a-z0-9-]+):/m.exec(site)?.[1];
    if (machine === undefined) return;
    await this.appliance.until(
      () => certified(this.appliance.log).includes(`DNS:*.${machine}.${APPLIANCE}`),
      `the gateway to have a certificate for ${machine}`,
    );
  }

  /** Nothing started yet, and no authority. */
  static async prepare(t: Teardown, options: ApplianceOptions): Promise<AuthorityBed> {
    const enroll = { NIAC_LISTEN_ENROLL: `127.0.0.1:${await freePort()}` };
    const environment = { ...NO_FILES, ...enroll, ...options.environment };
    return new AuthorityBed(await Appliance.prepare(t, { ...options, environment }));
  }

  async init(): Promise<void> {
    await this.appliance.ask(authorityInit, {
      name: "Test plant",
      algorithm: "p256",
      tenants: [],
      lifetimes: {},
      crlUrl: `http://${APPLIANCE}/crl`,
      by: "admin",
    });
  }

  /** PEM of all authorities. */
  async trust(): Promise<string> {
    return (await this.appliance.ask(authorityTrust, null)).pem;
  }

  async laptop(user: string, groups: readonly string[] = ["maintenance"]): Promise<Laptop> {
    const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const request = toPem(makeRequest({ subject: makeName([["CN", user]]) }, keys), "CERTIFICATE REQUEST");
    const { chain } = await this.appliance.ask(authorityIssue, {
      request,
      by: "admin",
      tier: "managed",
      tenant: null,
      user,
      device: `laptop-of-${user}`,
      groups: [...groups],
      role: null,
      until: null,
    });
    return { chainPem: chain, keyPem: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
  }
}

/** The names in the newest certificate that the gateway says it has. */
function certified(log: string): readonly string[] {
  const said = log
    .split("\n")
    .findLast((line) => line.includes("the gateway has a new certificate of its own"));
  return (/"names":"([^"]*)"/.exec(said ?? "")?.[1] ?? "").split(", ");
}
