/** What a Windows laptop shows without an administrator's rights. manage-bde and Get-BitLockerVolume want those; Explorer's own property does not. */
import { win32 } from "node:path";
import { edrAmong } from "./posture-edr.ts";
import { unknown, type Found, type PostureFindings, type PostureHost, type Ran } from "./posture-facts.ts";

export async function windowsPosture({ release, home, lookup, run }: PostureHost): Promise<PostureFindings> {
  const system = win32.join(lookup("SystemRoot") || "C:\\Windows", "System32");
  const shell = win32.join(system, "WindowsPowerShell", "v1.0", "powershell.exe");
  const own = lookup("SystemDrive") || "C:";
  const drives = [
    ...new Set([own, win32.parse(home).root.replace(/\\$/, "")].map((each) => each.toUpperCase())),
  ];
  const states = await Promise.all(drives.map(async (drive) => bitLocker(drive, await askShell(drive))));
  return {
    diskEncryption: worst(states),
    os: {
      value: { name: "windows", version: release },
      found: `windows ${release}`,
      how: "the system's version and build",
    },
    edr: services(await run(win32.join(system, "sc.exe"), ["query", "type=", "service"])),
  };

  function askShell(drive: string): Promise<Ran> {
    if (!/^[A-Z]:$/.test(drive)) return Promise.resolve({ problem: `${drive} is no drive of this computer` });
    const ask = `(New-Object -ComObject Shell.Application).NameSpace('${drive}').Self.ExtendedProperty('System.Volume.BitLockerProtection')`;
    return run(shell, ["-NoProfile", "-NonInteractive", "-Command", ask]);
  }
}

/** Values of System.Volume.BitLockerProtection; others say nothing that can be relied on. */
const BITLOCKER: Readonly<Record<string, readonly [protectedNow: boolean, words: string]>> = {
  1: [true, "BitLocker is on"],
  2: [false, "BitLocker is off"],
  3: [false, "BitLocker is still encrypting"],
  4: [false, "BitLocker is decrypting"],
  5: [false, "BitLocker is suspended, so the key lies open on the disk"],
  8: [false, "BitLocker waits to be activated, so the key lies open on the disk"],
};

export function bitLocker(drive: string, ran: Ran): Found<boolean> {
  if ("problem" in ran) return unknown(`BitLocker on ${drive}: ${ran.problem}`);
  const answer = ran.out.trim();
  const known = Object.hasOwn(BITLOCKER, answer) ? BITLOCKER[answer] : undefined;
  if (known === undefined)
    return unknown(`${drive} does not say how BitLocker stands (${answer.slice(0, 40) || "nothing"})`);
  const [value, words] = known;
  return { value, found: value ? "encrypted" : "not encrypted", how: `${words} on ${drive}` };
}

function worst(states: readonly Found<boolean>[]): Found<boolean> {
  const [first] = [false, null, true].flatMap((value) => states.filter((state) => state.value === value));
  return first ?? unknown("no drive was found");
}

/** Blocks that begin with SERVICE_NAME; state 4 is RUNNING in every language. */
export function services(ran: Ran): Found<boolean> {
  if ("problem" in ran) return unknown(`services: ${ran.problem}`);
  const running = ran.out
    .split(/^SERVICE_NAME: /m)
    .slice(1)
    .filter((block) => /:\s*4\s+RUNNING\b/.test(block))
    .map((block) => block.split(/\r?\n/, 1)[0]?.trim() ?? "");
  if (running.length === 0) return unknown("sc query shows no service that runs");
  return edrAmong("windows", running, "the services that run (sc query)");
}
