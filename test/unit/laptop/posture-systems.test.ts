import test from "ava";
import { factsOf, type PostureHost, type Ran } from "../../../src/laptop/posture-facts.ts";
import { lookAtHost, thisHost } from "../../../src/laptop/posture-host.ts";
import { kernelVersion, linuxPosture } from "../../../src/laptop/posture-linux.ts";
import { fileVault, productVersion, systemProcesses } from "../../../src/laptop/posture-macos.ts";
import { bitLocker, services } from "../../../src/laptop/posture-windows.ts";
import { Tree } from "./posture-tree.ts";

const nothing = { read: () => null, list: () => null, real: () => null };

function host(more: Partial<PostureHost>): PostureHost {
  return {
    platform: "linux",
    release: "6.12.30",
    home: "/home/alice",
    lookup: () => undefined,
    files: nothing,
    run: (program) => Promise.resolve({ problem: `${program} is not here` }),
    ...more,
  };
}

test("the kernel's version is the one that corrections change, where the distribution tells it", (t) => {
  const debian =
    "Linux version 6.1.0-37-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)\n";
  t.is(kernelVersion("6.1.0-37-amd64", debian, null), "6.1.140-1");
  t.is(kernelVersion("6.8.0-60-generic", "", "Ubuntu 6.8.0-60.63-generic 6.8.12\n"), "6.8.12");
  const self = debian.replace(/Debian 6.*/, "Tue");
  t.is(kernelVersion("6.15.2-arch1-1", self, null), "6.15.2-arch1-1");
  t.is(kernelVersion("6.15.2", null, null), "6.15.2");
});

test("Linux: facts, with the distribution's name for the person", (t) => {
  const tree = new Tree(t);
  tree.write("/etc/os-release", 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n');
  tree.process(1, "systemd", 0);
  const found = linuxPosture(host({ files: tree.files }));
  t.is(found.os.found, "linux 6.12.30 (Debian GNU/Linux 13 (trixie))");
  t.deepEqual(factsOf(found), {
    diskEncryption: null,
    os: { name: "linux", version: "6.12.30" },
    edr: false,
  });
});

test("Linux within Windows says nothing of the laptop", (t) => {
  const found = linuxPosture(
    host({ release: "5.15.167.4-microsoft-standard-WSL2", files: new Tree(t).files }),
  );
  t.deepEqual(factsOf(found), { diskEncryption: null, os: null, edr: null });
  t.regex(found.os.how, /WSL/);
});

test("another system is not looked at, and says so", async (t) => {
  const found = await lookAtHost(host({ platform: "freebsd" }));
  t.deepEqual(factsOf(found), { diskEncryption: null, os: null, edr: null });
  t.regex(found.edr.how, /freebsd/);
});

test("this computer can be looked at without any rights, and each fact says how", async (t) => {
  const found = await lookAtHost(thisHost({ platform: "linux", home: "/", lookup: () => undefined }));
  for (const { found: words, how } of Object.values(found)) t.not(words && how, "");
  t.is(found.os.value?.name, "linux");
});

const on = (drive: string) => drive === "C:";
test("Windows: the system's drive and the person's are asked, by programs of the system's own folder", async (t) => {
  const asked: string[] = [];
  const run = (program: string, args: readonly string[]): Promise<Ran> => {
    asked.push(program);
    if (program.endsWith("sc.exe")) return Promise.resolve({ out: SERVICES });
    const drive = /'([A-Z]:)'/.exec(args.join(" "))?.[1] ?? "";
    return Promise.resolve({ out: on(drive) ? "1\r\n" : "2\r\n" });
  };
  const windows = { platform: "win32", release: "10.0.22631", run };
  const one = await lookAtHost(host({ ...windows, home: "C:\\Users\\alice" }));
  t.deepEqual(factsOf(one), {
    diskEncryption: true,
    os: { name: "windows", version: "10.0.22631" },
    edr: true,
  });
  t.deepEqual(asked, [
    "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
    "C:\\Windows\\System32\\sc.exe",
  ]);
  const other = await lookAtHost(host({ ...windows, home: "d:\\Users\\alice" }));
  t.false(other.diskEncryption.value);
  t.regex(other.diskEncryption.how, /BitLocker is off on D:/);
  const lost = await lookAtHost(host({ platform: "win32", home: "\\\\server\\alice" }));
  t.deepEqual(factsOf(lost), {
    diskEncryption: null,
    os: { name: "windows", version: "6.12.30" },
    edr: null,
  });
});

test("Windows: BitLocker's own numbers; suspended or half done is not encrypted", (t) => {
  t.true(bitLocker("C:", { out: "1\r\n" }).value);
  for (const out of ["2", "3", "4", "5", "8"]) t.false(bitLocker("C:", { out }).value);
  for (const out of ["", "0", "6", "True", "11"]) t.is(bitLocker("C:", { out }).value, null);
});

const SERVICES = [
  "",
  "SERVICE_NAME: Sense",
  "DISPLAY_NAME: Windows Defender Advanced Threat Protection-Dienst",
  "        TYP                : 10  WIN32_OWN_PROCESS  ",
  "        STATUS             : 4  RUNNING ",
  "                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)",
  "        BEENDET_WIN32      : 0  (0x0)",
  "",
  "SERVICE_NAME: CSFalconService",
  "DISPLAY_NAME: CrowdStrike Falcon Sensor Service",
  "        TYP                : 10  WIN32_OWN_PROCESS  ",
  "        STATUS             : 3  STOP_PENDING ",
  "",
].join("\r\n");

test("Windows: services that run, in any language, and no others", (t) => {
  t.like(services({ out: SERVICES }), { value: true, found: "Microsoft Defender for Endpoint" });
  t.false(services({ out: SERVICES.replace("Sense", "WinDefend") }).value);
  t.is(services({ out: "" }).value, null);
  t.is(services({ problem: "gone" }).value, null);
});

test("macOS: FileVault, the version, and the system's processes", async (t) => {
  const answers: Record<string, string> = {
    "/usr/bin/fdesetup": "FileVault is On.\n",
    "/usr/bin/sw_vers": "15.5\n",
    "/bin/ps":
      "    0 /sbin/launchd\n    0 /Library/SystemExtensions/ABC/com.crowdstrike.falcon.Agent.systemextension/Contents/MacOS/com.crowdstrike.falcon.Agent\n  501 /bin/zsh\n",
  };
  const run = (program: string): Promise<Ran> => Promise.resolve({ out: answers[program] ?? "" });
  const found = await lookAtHost(host({ platform: "darwin", run }));
  t.deepEqual(factsOf(found), { diskEncryption: true, os: { name: "macos", version: "15.5" }, edr: true });
});

test("macOS: what is on its way is not encrypted, and other words are not understood", (t) => {
  t.false(fileVault({ out: "FileVault is Off.\n" }).value);
  t.false(fileVault({ out: "FileVault is On.\nEncryption in progress: Percent completed = 34\n" }).value);
  t.false(
    fileVault({ out: "FileVault is Off.\nDeferred enablement appears to be active for user 'alice'.\n" })
      .value,
  );
  t.is(fileVault({ out: "Error: not allowed" }).value, null);
  t.is(productVersion({ out: "15.5 (beta)" }).value, null);
  t.false(systemProcesses({ out: "  0 /sbin/launchd\n 501 /Users/alice/wdavdaemon\n" }).value);
  t.is(systemProcesses({ out: "" }).value, null);
});
