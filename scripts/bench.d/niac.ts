/** niac as the bench runs it: everything on, and a site document like a plant's. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { HIGHEST_WRITTEN_VALUE, WRITTEN_FROM } from "./frames.ts";
import { SERVER_NAME } from "./load.ts";
import { freePort, PinnedProcess } from "./processes.ts";
import type { Place, Proxy } from "./proxy.ts";
import { NIAC } from "./results.ts";

const ROOT = resolve(import.meta.dirname, "../..");
export const MAIN = join(ROOT, "src/main.ts");
/** Milliseconds. */
const APPLY_LIMIT = 20_000;
const run = promisify(execFile);
const APPLIANCE = SERVER_NAME.split(".").slice(2).join(".");

export function niac(): Proxy {
  return {
    name: NIAC,
    version: existsSync(MAIN)
      ? `niac ${commit()}, Node ${process.version}, OpenSSL ${process.versions.openssl}`
      : null,
    missing: "src/main.ts is not there",
    start,
  };
}

function commit(): string {
  try {
    return execFileSync("git", ["-C", ROOT, "--no-optional-locks", "describe", "--always", "--dirty"], {
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  } catch {
    return "outside a repository";
  }
}

async function start(place: Place): Promise<{ process: PinnedProcess; port: number }> {
  const port = await freePort();
  const { process, apply } = launch(place, [], {
    NIAC_LISTEN_MODBUS: `127.0.0.1:${port}`,
    NIAC_LISTEN_SERVICES: `127.0.0.1:${await freePort()}`,
    NIAC_LOG_LEVEL: "warn",
  });
  await apply(siteDocument(place.machinePort, { people: ["engineer-1"], connections: 4_096 }));
  return { process, port };
}

export interface RunningNiac {
  readonly process: PinnedProcess;
  /** Puts a site document in force, as a plant admin does. */
  readonly apply: (site: string) => Promise<void>;
}

/** `inside`: words that go before the command, which place it in a namespace; `part`: what of niac, else all of it. */
export function launch(
  place: Place,
  inside: readonly string[],
  more: NodeJS.ProcessEnv,
  part = "up",
): RunningNiac {
  const stateDir = join(place.dir, "state");
  const runDir = runDirOf(place);
  for (const dir of [stateDir, runDir]) mkdirSync(dir);
  const document = join(place.dir, "site.yaml");
  const environment = {
    NIAC_STATE_DIR: stateDir,
    NIAC_RUN_DIR: runDir,
    NIAC_ORIGIN: "bench",
    NIAC_TLS_CERTIFICATE: place.server.fullChain,
    NIAC_TLS_KEY: place.server.key,
    NIAC_TLS_CLIENT_CA: place.authority.cert,
    NODE_OPTIONS: place.nodeOptions,
    ...more,
  };
  const appliance = new PinnedProcess(
    NIAC,
    place.core,
    [...inside, process.execPath, MAIN, part],
    join(place.dir, "niac.log"),
    environment,
  );
  const apply = async (site: string): Promise<void> => {
    writeFileSync(document, site);
    try {
      await applied(appliance, document, environment);
    } catch (error) {
      appliance.kill();
      throw error;
    }
  };
  return { process: appliance, apply };
}

export function runDirOf(place: Place): string {
  return join(place.dir, "run");
}

/** By niac's own command, tried until control answers. */
async function applied(
  appliance: PinnedProcess,
  document: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const env = { ...process.env, ...environment, NODE_OPTIONS: "" };
  const deadline = performance.now() + APPLY_LIMIT;
  for (;;) {
    try {
      await run(process.execPath, [MAIN, "site", "apply", document], { env, timeout: APPLY_LIMIT });
      return;
    } catch (error) {
      if (appliance.ended || performance.now() > deadline) {
        throw new Error(`niac takes no site document: ${appliance.lastWords()}`, { cause: error });
      }
    }
    await sleep(100);
  }
}

export interface SiteAmounts {
  /** All of them in the group that the grants are for. */
  readonly people: readonly string[];
  readonly connections: number;
}

/**
 * Twelve grants and two forbids for one machine, all of which apply to the engineer's session. Limits are wide, for all the bench's
 * sessions come from one address and one user or two; whatever each transaction is checked against stays on.
 */
export function siteDocument(machinePort: number, { people, connections }: SiteAmounts): string {
  const lines = Array.from({ length: 10 }, (_, i) => {
    const from = 1_000 + 100 * i;
    return `  - name: line-${i}
    reason: Line ${i} reads its recipe and sets it within its range
    who: { groups: [maintenance] }
    what:
      machines: [press-4]
      modbus:
        functions: readWrite
        read: { holdingRegisters: [${from}-${from + 99}] }
        write: { holdingRegisters: [{ addresses: ${from}-${from + 9}, values: 0-${100 * (i + 1)} }] }`;
  });
  return `niac: 1
site:
  name: Bench
  appliance: ${APPLIANCE}
  timeZone: Europe/Berlin
  limits: { connections: ${connections}, connectionsPerSource: ${connections}, handshakeTimeout: 30s, idleTimeout: 1h }
machines:
  press-4:
    description: Hydraulic press, simulated
    services:
      modbus:
        protocol: modbus-tcp
        address: 127.0.0.1:${machinePort}
        units: [1]
        maxConnections: 4
        maxPending: 64
        maxQueued: 2048
        requestTimeout: 20s
people:
${people.map((name) => `  ${name}: { groups: [maintenance] }`).join("\n")}
groups:
  maintenance: { description: Maintenance engineers }
grants:
  - name: maintenance-reads
    reason: Maintenance sees the process values
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: { functions: readOnly, read: { holdingRegisters: [0-199] } } }
  - name: maintenance-sets
    reason: Maintenance moves the set-points within their safe range
    who: { groups: [maintenance] }
    what:
      machines: [press-4]
      modbus:
        functions: readWrite
        write: { holdingRegisters: [{ addresses: ${WRITTEN_FROM}-${WRITTEN_FROM + 39}, values: 0-${HIGHEST_WRITTEN_VALUE} }] }
${lines.join("\n")}
forbids:
  - name: nobody-writes-safety
    reason: Safety parameters are set at the machine
    who: anyone
    what: { machines: [press-4], modbus: { write: { holdingRegisters: [{ addresses: 5000-5099 }] } } }
  - name: nobody-programs
    reason: Programs are loaded at the machine
    who: anyone
    what: { machines: [press-4], modbus: { functions: [8, 40, 42, 90, 125, 126] } }
`;
}
