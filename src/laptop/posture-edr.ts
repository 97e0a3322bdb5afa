/**
 * Agents of endpoint detection and response, and by which process or service each is known to run. The names are those of the
 * makers' own installation guides and of the packages they ship. Agents that only watch (osquery) or only scan files are not among them.
 */
import { unknown, type Found, type HostFiles } from "./posture-facts.ts";

interface Agent {
  readonly product: string;
  /** Names of processes, without path. */
  readonly linux: readonly string[];
  readonly macos: readonly string[];
  /** Names of services. */
  readonly windows: readonly string[];
}

export const AGENTS: readonly Agent[] = [
  {
    product: "CrowdStrike Falcon",
    linux: ["falcon-sensor", "falcon-sensor-bpf"],
    macos: ["com.crowdstrike.falcon.Agent"],
    windows: ["CSFalconService"],
  },
  {
    product: "Microsoft Defender for Endpoint",
    linux: ["wdavdaemon"],
    macos: ["wdavdaemon", "wdavdaemon_enterprise"],
    windows: ["Sense"],
  },
  { product: "SentinelOne", linux: ["s1-agent"], macos: ["sentineld"], windows: ["SentinelAgent"] },
  {
    product: "Carbon Black",
    linux: ["cbagentd", "cbdaemon"],
    macos: ["CbOsxSensorService"],
    windows: ["CbDefense", "CarbonBlack"],
  },
  {
    product: "Elastic Defend",
    linux: ["elastic-endpoint"],
    macos: ["elastic-endpoint"],
    windows: ["ElasticEndpoint"],
  },
  { product: "Cortex XDR", linux: [], macos: [], windows: ["cyserver"] },
  { product: "Wazuh", linux: ["wazuh-agentd"], macos: ["wazuh-agentd"], windows: ["WazuhSvc"] },
];

type System = "linux" | "macos" | "windows";

/** `running`: processes or services, as the table has them; `where`: what was looked at. */
export function edrAmong(system: System, running: readonly string[], where: string): Found<boolean> {
  const agents = AGENTS.filter((agent) => agent[system].some((name) => running.includes(name)));
  if (agents.length > 0)
    return { value: true, found: agents.map(({ product }) => product).join(", "), how: where };
  const known = AGENTS.filter((agent) => agent[system].length > 0).map(({ product }) => product);
  return { value: false, found: "none that niac knows", how: `${where}; it knows ${known.join(", ")}` };
}

/** The kernel keeps this many characters of a process's name. */
const KEPT = 15;
/** Beginning with this number, users are people (login.defs' UID_MIN); who takes an agent's name for a program of his own is one of those. */
const FIRST_PERSON = 1_000;

/** Of the system's own processes. */
export function linuxEdr(files: HostFiles): Found<boolean> {
  if (files.read("/proc/1/status") === null)
    return unknown("the system does not show others' processes (/proc is mounted with hidepid)");
  const names = new Map(
    AGENTS.flatMap(({ linux }) => linux).map((name): [string, string] => [name.slice(0, KEPT), name]),
  );
  const running: string[] = [];
  for (const entry of files.list("/proc") ?? []) {
    if (!/^\d+$/.test(entry)) continue;
    const status = files.read(`/proc/${entry}/status`) ?? "";
    const known = names.get(/^Name:\t(.*)$/m.exec(status)?.[1] ?? "");
    const user = /^Uid:\t(\d+)/m.exec(status)?.[1];
    if (known !== undefined && user !== undefined && Number(user) < FIRST_PERSON) running.push(known);
  }
  return edrAmong("linux", running, "the system's processes (/proc)");
}
