/** Where the measuring happens: cores, certificates, the machine, and proxies started before it. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pki } from "../../test/support/pki.ts";
import type { Cleanup } from "./cleanup.ts";
import { SERVER_NAME, targetOf } from "./load.ts";
import { ready, refused, subjectOf, type Subject } from "./measure.ts";
import { allowedCores, PinnedProcess, pinSelf } from "./processes.ts";
import type { Place, Proxy } from "./proxy.ts";

export interface Stage {
  readonly proxyCore: number;
  readonly loadCore: number;
  /** A new empty directory, removed at the end. */
  newDir(): string;
  /** For one start of a proxy. */
  place(nodeOptions?: string): Place;
  /** Resolves when it serves the engineer and has refused those it must: speed without the check would be no comparison. */
  start(proxy: Proxy, nodeOptions?: string): Promise<Subject>;
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

  const pki = Pki.create(join(dir, "pki"));
  const authority = pki.root("niac bench root");
  const server = authority.server({ dns: [SERVER_NAME], ip: ["127.0.0.1"] });
  const engineer = authority.client({ cn: "engineer-1", sanUris: ["urn:niac:device:laptop-1"] });
  const stranger = pki.root("another root").client({ cn: "engineer-1" });
  const ca = authority.certPem;
  const credentials = { own: { cert: engineer.certPem, key: engineer.keyPem }, ca };
  const unwanted = [
    { who: "without a certificate", credentials: { own: null, ca } },
    {
      who: "with another authority's certificate",
      credentials: { own: { cert: stranger.certPem, key: stranger.keyPem }, ca },
    },
  ];

  const machine = new PinnedProcess(
    "machine",
    loadCore,
    [process.execPath, join(import.meta.dirname, "machine.ts")],
    join(dir, "machine.log"),
  );
  cleanup.add(() => machine.kill());
  const machinePort = Number(await machine.firstLine());

  const place = (nodeOptions = ""): Place => {
    const common = { core: proxyCore, machinePort, server, authority: authority.credential };
    return { ...common, dir: newDir(), nodeOptions };
  };
  return {
    proxyCore,
    loadCore,
    newDir,
    place,
    async start(proxy, nodeOptions) {
      const running = await proxy.start(place(nodeOptions));
      cleanup.add(() => running.process.kill());
      const subject = subjectOf(proxy.name, running.process, running.port, credentials);
      await ready(subject);
      for (const { who, credentials: theirs } of unwanted) {
        await refused(who, targetOf(proxy.name, running.port, theirs));
      }
      return subject;
    },
  };
}
