/** What a Mac shows without an administrator's rights. */
import { posix } from "node:path";
import { edrAmong } from "./posture-edr.ts";
import {
  unknown,
  type Found,
  type PostureFacts,
  type PostureFindings,
  type PostureHost,
  type Ran,
} from "./posture-facts.ts";

export async function macosPosture({ run }: PostureHost): Promise<PostureFindings> {
  const [vault, version, processes] = await Promise.all([
    run("/usr/bin/fdesetup", ["status"]),
    run("/usr/bin/sw_vers", ["-productVersion"]),
    run("/bin/ps", ["-axo", "uid=,comm="]),
  ]);
  return { diskEncryption: fileVault(vault), os: productVersion(version), edr: systemProcesses(processes) };
}

export function fileVault(ran: Ran): Found<boolean> {
  if ("problem" in ran) return unknown(`fdesetup: ${ran.problem}`);
  const text = ran.out.trim();
  const [first = ""] = text.split("\n", 1);
  const under = /(?:En|De)cryption in progress|Deferred/i.test(text);
  if (/^FileVault is On\b/.test(first) && !under)
    return { value: true, found: "encrypted", how: "FileVault is on (fdesetup status)" };
  if (/^FileVault is O(?:n|ff)\b/.test(first)) {
    const how = under ? "FileVault is on its way (fdesetup status)" : "FileVault is off (fdesetup status)";
    return { value: false, found: "not encrypted", how };
  }
  return unknown(`fdesetup says ${JSON.stringify(first.slice(0, 80))}`);
}

export function productVersion(ran: Ran): Found<NonNullable<PostureFacts["os"]>> {
  if ("problem" in ran) return unknown(`sw_vers: ${ran.problem}`);
  const version = ran.out.trim();
  if (!/^\d+(?:\.\d+)*$/.test(version))
    return unknown(`sw_vers says ${JSON.stringify(version.slice(0, 80))}`);
  return { value: { name: "macos", version }, found: `macos ${version}`, how: "sw_vers" };
}

/** Users below 500 are the system's. */
const FIRST_PERSON = 500;

export function systemProcesses(ran: Ran): Found<boolean> {
  if ("problem" in ran) return unknown(`ps: ${ran.problem}`);
  const running = ran.out.split("\n").flatMap((line) => {
    const [, user, path] = /^\s*(\d+)\s+(\S.*)$/.exec(line) ?? [];
    return path === undefined || Number(user) >= FIRST_PERSON ? [] : [posix.basename(path)];
  });
  if (running.length === 0) return unknown("ps shows no process of the system's");
  return edrAmong("macos", running, "the system's processes (ps)");
}
