/** Where the measuring happens: cores, certificates, the machine, and proxies started before it. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pki, type Credential } from "../../test/support/pki.ts";
import type { Cleanup } from "./cleanup.ts";
import { SERVER_NAME, targetOf, type Credentials } from "./load.ts";
import { ready, refused, subjectOf, type Subject } from "./measure.ts";
import { allowedCores, PinnedProcess, pinSelf } from "./processes.ts";
import type { Place, Proxy } from "./proxy.ts";

/** Everybody's certificates and keys; `stranger`: of another authority, and of the same name as the engineer. */
export interface Identities {
  readonly authority: Credential;
  readonly server: Credential;
  readonly engineer: Credential;
  readonly stranger: Credential;
}

export interface Stage {
  readonly proxyCore: number;
  readonly loadCore: number;
  /** A new empty directory, removed at the end. */
  newDir(): string;
  /** For one start of a proxy. */
  place(nodeOptions?: string): Place;
  /** Resolves when it serves the engineer and has refused those it must: speed without the check would be no comparison. */
  start(proxy: Proxy, nodeOptions?: string, identities?: Identities): Promise<Subject>;
}

/** Moves this process, which is the load, to the load's core. */
export async function setStage(cleanup: Cleanup): Promise<Stage> {
  const [proxyCore = 0, loadCore = proxyCore] = allowedCores();
  pinSelf(loadCore);
  const dir = mkdtempSync(join(tmpdir(), "niac-bench-"));
  cleanup.add(() => rmSync(dir, { recursive: true, force: true }));
  let made = 0;
  const newDir = (): string => {
    made += 1;
    const path = join(dir, String(made));
    mkdirSync(path);
    return path;
  };

  const plain = plainIdentities(join(dir, "pki"));

  const machine = new PinnedProcess(
    "machine",
    loadCore,
    [process.execPath, join(import.meta.dirname, "machine.ts")],
    join(dir, "machine.log"),
  );
  cleanup.add(() => machine.kill());
  const machinePort = Number(await machine.firstLine());

  const place = (nodeOptions = "", { server, authority } = plain): Place => {
    return { core: proxyCore, machinePort, server, authority, dir: newDir(), nodeOptions };
  };
  return {
    proxyCore,
    loadCore,
    newDir,
    place: (nodeOptions) => place(nodeOptions),
    async start(proxy, nodeOptions, identities = plain) {
      const running = await proxy.start(place(nodeOptions, identities));
      cleanup.add(() => running.process.kill());
      const { engineer, stranger, authority } = identities;
      const ca = authority.certPem;
      const shown = (own: Credential | null): Credentials => {
        return { own: own === null ? null : { cert: own.certPem, key: own.keyPem }, ca };
      };
      const subject = subjectOf(proxy.name, running.process, running.port, shown(engineer));
      await ready(subject);
      await refused("without a certificate", targetOf(proxy.name, running.port, shown(null)));
      const unwanted = targetOf(proxy.name, running.port, shown(stranger));
      await refused("with another authority's certificate", unwanted);
      return subject;
    },
  };
}

/** P-256, made by openssl. */
function plainIdentities(dir: string): Identities {
  const pki = Pki.create(dir);
  const root = pki.root("niac bench root");
  return {
    authority: root.credential,
    server: root.server({ dns: [SERVER_NAME], ip: ["127.0.0.1"] }),
    engineer: root.client({ cn: "engineer-1", sanUris: ["urn:niac:device:laptop-1"] }),
    stranger: pki.root("another root").client({ cn: "engineer-1" }),
  };
}
