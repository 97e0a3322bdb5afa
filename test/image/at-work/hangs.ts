/** What hangs is started again: the gateway by systemd, systemd by the hardware, a kernel in doubt by itself. */
import type { Check } from "../../support/box/shared.ts";
import type { UpdateBed } from "../../support/box/update-bed.ts";

export function hangs(check: Check<UpdateBed>): void {
  check(
    "a gateway that hangs is killed by the service manager and started again, and the engineer reads on",
    async (t, { bed }) => {
      const { box } = bed;
      const pid = (): Promise<string> => box.out("systemctl show -p MainPID --value niac-gateway");
      const before = await pid();
      await box.out(`kill -STOP ${before}`);
      await box.until(async () => !["0", before].includes(await pid()), "another gateway");
      await bed.ready();
      t.regex(await box.out("journalctl -u niac-gateway -o cat"), /Watchdog timeout/);
      await bed.readsAgain();
      t.is(box.boots.length, 1, "the box itself went on");
    },
  );

  check("a box whose service manager hangs is started again by its hardware", async (t, { bed }) => {
    const { box } = bed;
    const boots = box.boots.length;
    const shell = await box.shell();
    // The freezer holds whoever asks for it, too, where that one is in the same group.
    void shell.run("echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze").catch(() => undefined);
    await box.bootsAgain(boots);
    t.is(box.boots.at(-2)?.ended, "watchdog");
    await bed.ready();
    await bed.readsAgain();
  });

  check("a kernel that panics starts the box again", async (t, { bed }) => {
    const { box } = bed;
    const boots = box.boots.length;
    const shell = await box.shell();
    void shell.run("echo c >/proc/sysrq-trigger").catch(() => undefined);
    await box.bootsAgain(boots);
    await bed.ready();
    await bed.readsAgain();
    t.true((await bed.recordIsWhole()) > 0);
  });
}
