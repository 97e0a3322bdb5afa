/** The image's script that sets the clock, with a date and a hwclock that write down what they are told. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { CLOCK_BOUNDS } from "../../../src/control/clock.ts";

const SCRIPT = fileURLToPath(new URL("../../../image/rootfs/usr/lib/niac/clock-set", import.meta.url));
const TIME = "1790000000";

interface Bed {
  readonly dir: string;
  /** What was asked for, and the script's way with it: its exit code. */
  readonly run: (asked: string | null) => number | null;
  /** What the tools were told; empty: nothing. */
  readonly told: () => string;
  readonly done: () => string | null;
}

interface Parts {
  /** What each chip says of whether the kernel set the clock from it. */
  readonly chips?: Readonly<Record<string, "0" | "1">>;
  /** Exit codes. */
  readonly date?: number;
  readonly hwclock?: number;
}

function bed(t: ExecutionContext, { chips = { rtc0: "1" }, date = 0, hwclock = 0 }: Parts = {}): Bed {
  const dir = mkdtempSync(join(tmpdir(), "niac-clock-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ["bin", "rtc", "clock"]) mkdirSync(join(dir, folder));
  for (const [name, code] of Object.entries({ date, hwclock }))
    writeFileSync(
      join(dir, "bin", name),
      `#!/bin/sh\ncase "$*" in *+%s) echo 100; exit 0 ;; esac\necho "${name} $*" >>${dir}/told\nexit ${code}\n`,
      { mode: 0o755 },
    );
  for (const [name, hctosys] of Object.entries(chips)) {
    mkdirSync(join(dir, "rtc", name));
    writeFileSync(join(dir, "rtc", name, "hctosys"), `${hctosys}\n`);
  }
  const read = (name: string): string | null =>
    existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8") : null;
  return {
    dir,
    run(asked) {
      if (asked !== null) writeFileSync(join(dir, "clock/set"), asked);
      const env = {
        PATH: `${join(dir, "bin")}:/usr/sbin:/usr/bin:/sbin:/bin`,
        NIAC_CLOCK: join(dir, "clock"),
        NIAC_RTC_CLASS: join(dir, "rtc"),
      };
      return spawnSync(SCRIPT, { env }).status;
    },
    told: () => read("told") ?? "",
    done: () => read("clock/done"),
  };
}

test("the clock is set, then the chip that the kernel started from; the request is gone", (t) => {
  const { run, told, done, dir } = bed(t, { chips: { rtc0: "0", rtc1: "1" } });
  t.is(run(`${TIME}\n`), 0);
  t.is(told(), `date -u -s @${TIME}\nhwclock --systohc --utc --noadjfile --rtc=/dev/rtc1\n`);
  t.is(done(), `${TIME} set\n`);
  t.false(existsSync(join(dir, "clock/set")));
});

test("a chip that lost the time started nothing: it is the first that is set", (t) => {
  const { run, told } = bed(t, { chips: { rtc0: "0", rtc1: "0" } });
  t.is(run(TIME), 0);
  t.regex(told(), /--rtc=\/dev\/rtc0\n$/);
});

test("without a chip, or with one that does not take it, the clock is set all the same, and it is said", (t) => {
  const none = bed(t, { chips: {} });
  t.is(none.run(TIME), 0);
  t.is(none.told(), `date -u -s @${TIME}\n`);
  t.is(none.done(), `${TIME} none\n`);
  const broken = bed(t, { hwclock: 1 });
  t.is(broken.run(TIME), 0);
  t.is(broken.done(), `${TIME} failed\n`);
});

test("a kernel that refuses is said, and the chip is left alone", (t) => {
  const { run, told, done } = bed(t, { date: 1 });
  t.is(run(TIME), 1);
  t.notRegex(told(), /hwclock/);
  t.is(done(), `${TIME} refused\n`);
});

test("what is not ten digits within bounds sets nothing, and does not stay", (t) => {
  const { run, told, done, dir } = bed(t);
  const { first, end } = CLOCK_BOUNDS;
  const wrong = [
    "",
    "\n",
    "179000000",
    "17900000000",
    "-790000000",
    "+790000000",
    "0x6ab13b80",
    "1790000000 x",
    "1790000000\n1",
    "179000000\0",
    "$(reboot)",
    "@1790000000",
    `${first / 1_000 - 1}`,
    `${end / 1_000}`,
    "9999999999",
  ];
  for (const text of wrong) {
    t.is(run(text), 1, JSON.stringify(text));
    t.false(existsSync(join(dir, "clock/set")), text);
  }
  t.is(run(null), 1, "nothing was asked");
  t.is(told(), "");
  t.is(done(), null);
  t.is(run(`${first / 1_000}`), 0);
  t.is(run(`${end / 1_000 - 1}`), 0);
});

test("a link in the answer's place leads nowhere, and a pipe in the request's is not waited for", (t) => {
  const { run, done, dir } = bed(t);
  writeFileSync(join(dir, "others"), "kept");
  symlinkSync(join(dir, "others"), join(dir, "clock/done"));
  symlinkSync(join(dir, "others"), join(dir, "clock/done.new"));
  t.is(run(TIME), 0);
  t.is(done(), `${TIME} set\n`);
  t.is(readFileSync(join(dir, "others"), "utf8"), "kept");
  t.is(spawnSync("mkfifo", [join(dir, "clock/set")]).status, 0);
  t.is(run(null), 1);
});
