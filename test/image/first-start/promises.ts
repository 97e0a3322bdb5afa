/** What the image promises of a box at work, besides niac: the kernel's rules, the root, users, what is sealed, memory. */
import type { BoxBed } from "../../support/box/bed.ts";
import { secondsSince, type Check } from "../../support/box/shared.ts";

const LARGEST_EXPOSURE = 2;
/** MiB. */
const LARGEST_MEMORY = 300;

export function promises(check: Check<{ readonly bed: BoxBed }>): void {
  check("memory in use, with everything on and nobody asking for anything", async (t, { bed: { box } }) => {
    const kib = (name: string): Promise<number> =>
      box.out(`awk '/^${name}:/ {print $2}' /proc/meminfo`).then(Number);
    const used = ((await kib("MemTotal")) - (await kib("MemAvailable"))) / 1024;
    t.log(`${used.toFixed(0)} MiB of ${((await kib("MemTotal")) / 1024).toFixed(0)}`);
    t.true(used < LARGEST_MEMORY, `${used} MiB`);
  });

  check(
    "the kernel's rules were in force before the first network card was there, and before whoever brings it up",
    async (t, { bed: { box } }) => {
      const microseconds = async (unit: string, what: string): Promise<number> =>
        Number(await box.out(`systemctl show -p ${what} --value ${unit}`));
      const closed = await microseconds("niac-closed", "ExecMainExitTimestampMonotonic");
      t.true(closed > 0);
      t.true((await microseconds("niac-netd", "ExecMainStartTimestampMonotonic")) > closed);
      const card = await box.out("journalctl -k -o short-monotonic | grep -m 1 'virtio_net.*renamed from'");
      t.true(Number(/^\[ *([\d.]+)\]/.exec(card)?.[1]) * 1e6 > closed, card);
    },
  );

  check("the root is verified and cannot be written, not even by root", async (t, { bed: { box } }) => {
    t.is(await box.out("findmnt -n -o SOURCE,FSTYPE /"), "/dev/mapper/root squashfs");
    t.is(await box.out("cat /sys/class/block/dm-0/ro /sys/class/block/dm-0/dm/name"), "1\nroot");
    t.regex(await box.out("cat /sys/class/block/dm-0/dm/uuid"), /^CRYPT-VERITY-/);
    for (const command of [
      "touch /etc/x",
      "touch /usr/x",
      "mount -o remount,rw /",
      "dd if=/dev/zero of=/dev/mapper/root count=1",
    ])
      t.not((await (await box.shell()).run(command)).code, 0, command);
  });

  check(
    "no swap, nothing is dumped, and no file system of what can be written runs programs",
    async (t, { bed: { box } }) => {
      t.is(await box.out("tail -n +2 /proc/swaps"), "");
      t.is(await box.out("cat /proc/sys/kernel/core_pattern"), "|/usr/bin/false");
      for (const part of ["control", "gateway", "netd"])
        t.is(
          await box.out(
            `cat /proc/$(systemctl show -p MainPID --value niac-${part})/limits | grep -c 'core file size *0 *0'`,
          ),
          "1",
          part,
        );
      const writable = await box.out(
        "findmnt -rn -o TARGET,OPTIONS | grep -E ' rw' | grep -vE 'noexec' | cut -d' ' -f1",
      );
      // Kernel interfaces, devices, and systemd's own folder for sockets.
      t.deepEqual(writable.split("\n").toSorted(), [
        "/dev",
        "/dev/shm",
        "/etc/machine-id",
        "/proc",
        "/run",
        "/sys",
      ]);
    },
  );

  check(
    "each process has a user of its own, and no capability that it does not need",
    async (t, { bed: { box } }) => {
      const capabilities = {
        control: "0000000000000400",
        gateway: "0000000000000000",
        netd: "0000000000003400",
      };
      for (const [part, bits] of Object.entries(capabilities)) {
        const status = `/proc/$(systemctl show -p MainPID --value niac-${part})/status`;
        t.is(await box.out(`id -un $(awk '/^Uid:/ {print $2}' ${status})`), `niac-${part}`);
        const words = await box.out(
          `grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' ${status} | tr '\\t\\n' '  '`,
        );
        t.is(words.trim(), `CapEff: ${bits} CapBnd: ${bits} NoNewPrivs: 1 Seccomp: 2`, part);
      }
    },
  );

  check("systemd's own judgement of niac's processes is 2.0 or below", async (t, { bed: { box } }) => {
    const began = Date.now();
    const said = await box.out("systemd-analyze security --no-pager niac-gateway niac-control niac-netd");
    const levels = [...said.matchAll(/exposure level for (\S+): ([\d.]+)/g)].map(
      ([, unit, level]) => [unit, Number(level)] as const,
    );
    t.is(levels.length, 3);
    t.log(`${levels.map(([unit, level]) => `${unit} ${level}`).join(", ")}; in ${secondsSince(began)}`);
    for (const [unit, level] of levels) t.true(level <= LARGEST_EXPOSURE, `${unit} ${level}`);
  });

  check(
    "keys and data are the TPM's: the authority's keyring and the partition are sealed by it",
    async (t, { bed: { box } }) => {
      t.regex(await box.out("niac authority show"), /Sealed by this box's TPM/);
      t.regex(await box.out("cryptsetup luksDump /dev/niac/data"), /systemd-tpm2/);
    },
  );
}
