/** The box's clock with its chip, set by hand and by the plant's time server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Box } from "../../support/box/box.ts";
import type { Check } from "../../support/box/shared.ts";
import type { UpdateBed } from "../../support/box/update-bed.ts";
import { HOSTS } from "../../support/plant.ts";

/** What the site document has for these tests. */
export const TIME_SERVER = `timeServers: [${HOSTS.historian}]`;
/** Seconds that asking takes, on a computer that is busy. */
const SLACK = 60;
const QUARTER = 900;

/** Seconds by which the box's clock, and its chip's, are ahead of this computer's. */
async function ahead(box: Box): Promise<{ clock: number; chip: number }> {
  const [clock = 0, chip = 0] = (await box.out("date +%s; cat /sys/class/rtc/rtc0/since_epoch"))
    .split("\n")
    .map(Number);
  const now = Math.round(Date.now() / 1_000);
  return { clock: clock - now, chip: chip - now };
}

export function clockAndChip(check: Check<UpdateBed>): void {
  check("the clock comes from its chip, and is set by hand with it, on record before", async (t, { bed }) => {
    const { box } = bed;
    t.regex(
      await box.out("niac clock"),
      new RegExp(
        `^from +the clock chip, at the start\r?$\n^time server +${HOSTS.historian} does not answer`,
        "m",
      ),
    );
    const began = Date.now();
    const time = new Date(began + QUARTER * 1_000).toISOString().replace(/\.\d+/, "");
    t.regex(
      await box.out(`niac clock set ${time}`),
      /^The clock is set, and the clock chip with it\.[^]*niac clock set, to /,
    );
    const { clock, chip } = await ahead(box);
    // It was set at some moment of the command: however long that took, the clock is late by no more.
    const late = QUARTER - clock;
    t.true(late > -5 && late < (Date.now() - began) / 1_000 + 5, `${clock} s`);
    t.true(Math.abs(chip - clock) < 5, `the chip: ${chip} s`);
    const { detail, reason } = await bed.recorded("clock-set");
    t.is(detail?.["to"], Date.parse(time));
    t.regex(reason ?? "", /^root sets the clock from /);
    t.is(await box.out("systemctl list-units --failed --plain --no-legend"), "");
  });

  check(
    "the box follows the plant's time server, and its chip follows it; nothing of it listens",
    async (t, { bed }) => {
      const { box, plant } = bed;
      const dir = mkdtempSync(join(tmpdir(), "niac-chrony-"));
      t.teardown(() => rmSync(dir, { recursive: true, force: true }));
      mkdirSync(join(dir, "own"), { mode: 0o700 });
      const lines = [
        `bindaddress ${HOSTS.historian}`,
        "allow all",
        "local stratum 5",
        "cmdport 0",
        `bindcmdaddress ${dir}/own/command.sock`,
        `pidfile ${dir}/own/pid`,
        "user root",
      ];
      writeFileSync(join(dir, "chrony.conf"), `${lines.join("\n")}\n`);
      plant.spawn("historian", "chronyd", ["-x", "-d", "-f", join(dir, "chrony.conf")]);
      const follows = async (): Promise<boolean> =>
        (await box.out("niac clock")).includes(`from         time server ${HOSTS.historian}, last at `);
      // As in a start of the box: it asks at once, and not when the turn comes of a server that was away.
      await box.out("systemctl restart niac-time");
      await box.until(follows, "the time server to be followed");
      const right = async (): Promise<boolean> => {
        const { clock, chip } = await ahead(box);
        return Math.abs(clock) < SLACK && Math.abs(chip) < SLACK;
      };
      await box.until(right, "clock and chip to be right again");
      t.regex(
        await box.out("niac clock"),
        new RegExp(`^time server +${HOSTS.historian} is followed, \\d`, "m"),
      );
      await box.until(
        async () => (await bed.recorded("clock-jumped")).detail?.["by"] === HOSTS.historian,
        "the record of the jump, with whose it was",
      );
      // Ports 123 and 323, of NTP and of chrony's commands.
      t.is(
        await box.out(
          "cat /proc/net/udp /proc/net/tcp | grep -ci '^ *[0-9]*: [0-9a-f]*:\\(007B\\|0143\\) ' || :",
        ),
        "0",
      );
      t.regex(
        await box.out("grep -E '^(Uid|CapEff)' /proc/$(systemctl show -P MainPID niac-time)/status"),
        /^Uid:\s+956\b[^]*CapEff:\s+0000000002000000/,
      );
      t.is(await box.out("systemctl list-units --failed --plain --no-legend"), "");
    },
  );
}
