/** The image's scripts for updates, run as RAUC runs them: which slot starts, what is tried, below what nothing goes. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { manifestOf } from "../../../scripts/image.d/bundle.ts";
import { compareVersions, isVersion } from "../../../src/appliance/index.ts";
import { testWith } from "../../support/tools.ts";

const LIB = new URL("../../../image/rootfs/usr/lib/niac", import.meta.url).pathname;
const SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin";
const A = "[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n";
const B = "[all]\ntryboot_a_b=1\nboot_partition=3\n[tryboot]\nboot_partition=2\n";

const testScripts = testWith("root", "unshare", "setsid", "flock");

interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A box' files. The configuration's partition is a file system of its own, mounted read-only as there. */
class Box {
  readonly dir: string;
  #path = SYSTEM;

  constructor(t: ExecutionContext, { autoboot = A, slot = "B", tryboot = "1" } = {}) {
    this.dir = mkdtempSync(join(tmpdir(), "niac-update-"));
    t.teardown(() => rmSync(this.dir, { recursive: true }));
    for (const folder of ["seed", "cfg", "data", "boot", "lib", "shims", "bundle"])
      mkdirSync(join(this.dir, folder));
    this.write("seed/autoboot.txt", autoboot);
    this.write("seed/niac.conf", "NIAC_ORIGIN=press-hall\n");
    const disk = join(this.dir, "card");
    writeFileSync(disk, Buffer.alloc(2 ** 20));
    this.write("boot/env", `NIAC_SLOT=${slot}\nNIAC_TRYBOOT=${tryboot}\nNIAC_DISK=${disk}\n`);
    this.write("release", "IMAGE_ID=niac\nIMAGE_VERSION=0.9.0-rc.1\n");
    this.write("port", "");
    for (const name of ["floor-of", "starts", "tryboot"]) {
      this.write(`lib/${name}`, readFileSync(join(LIB, name), "utf8"));
      chmodSync(join(this.dir, "lib", name), 0o755);
    }
    this.write("lib/floor", "0.2.0\n");
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }

  /** Null: there is no such file. */
  read(name: string): string | null {
    const path = join(this.dir, name);
    return existsSync(path) ? readFileSync(path, "utf8") : null;
  }

  /** From now on whoever starts this program is asked to end. */
  endAt(program: string): void {
    this.write(`shims/${program}`, `#!/bin/sh\nkill -TERM $PPID\nPATH=${SYSTEM} exec ${program} "$@"\n`);
    chmodSync(join(this.dir, "shims", program), 0o755);
    this.#path = `${join(this.dir, "shims")}:${SYSTEM}`;
  }

  /** From now on all that the scripts start is killed with them at its `at`th program; 0: never. Gives how many were started. */
  killAt(at: number): void {
    this.write("count", "0");
    for (const name of [
      "sed",
      "tr",
      "wc",
      "dd",
      "mount",
      "flock",
      "sync",
      "mv",
      "rm",
      "cat",
      "sort",
      "head",
      "tail",
      "grep",
    ]) {
      const real = spawnSync("sh", ["-c", `PATH=${SYSTEM} command -v ${name}`], {
        encoding: "utf8",
      }).stdout.trim();
      const count = join(this.dir, "count");
      this.write(
        `shims/${name}`,
        `#!/bin/sh\nexec 8>>${count}.lock\n/usr/bin/flock 8\nread -r n <${count}; n=$((n + 1)); echo $n >${count}\n[ $n != ${at} ] || kill -9 0\nexec 8>&-\nexec ${real} "$@"\n`,
      );
      chmodSync(join(this.dir, "shims", name), 0o755);
    }
    this.#path = `${join(this.dir, "shims")}:${SYSTEM}`;
  }

  get started(): number {
    return Number(this.read("count"));
  }

  backend(...args: string[]): Answer {
    const script = [
      `mount -t tmpfs none ${this.dir}/cfg`,
      `cp -a ${this.dir}/seed/. ${this.dir}/cfg/`,
      `mount -o remount,ro ${this.dir}/cfg`,
      `lay=$(stat -c %i ${this.dir}/cfg/autoboot.txt)`,
      // A group of its own: a kill takes the script, and not who looks at what is left.
      `PATH=${this.#path} setsid --wait ${LIB}/rauc-backend "$@"`,
      "code=$?",
      `grep -q "${this.dir}/cfg tmpfs ro" /proc/mounts || touch ${this.dir}/left-writable`,
      `[ "$lay" = "$(stat -c %i ${this.dir}/cfg/autoboot.txt)" ] || touch ${this.dir}/lies-elsewhere`,
      `cp -a ${this.dir}/cfg/. ${this.dir}/seed/`,
      "exit $code",
    ].join("\n");
    return this.#run("unshare", ["--mount", "sh", "-c", script, "sh", ...args]);
  }

  script(name: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Answer {
    return this.#run(join(LIB, name), args, environment);
  }

  #run(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Answer {
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: "utf8",
      env: {
        PATH: SYSTEM,
        NIAC_CFG: join(this.dir, "cfg"),
        NIAC_BOOT_ENV: join(this.dir, "boot/env"),
        NIAC_RAUC_DATA: join(this.dir, "data"),
        NIAC_LIB: join(this.dir, "lib"),
        NIAC_RELEASE: join(this.dir, "release"),
        NIAC_FIRMWARE_PORT: join(this.dir, "port"),
        NIAC_TRYBOOT_MODULE: join(this.dir, "module"),
        ...environment,
      },
    });
    return { code: status, out: stdout.trim(), err: stderr.trim() };
  }
}

testScripts(
  "starts that come to work are counted as none; a damaged slot is one until it is written anew",
  (t) => {
    const box = new Box(t);
    const card = join(box.dir, "card");
    const place = 254 * 4096;
    const stands = (): string =>
      readFileSync(card)
        .subarray(place, place + 4096)
        .toString("latin1")
        .replaceAll("\0", "");
    const put = (text: string): void => {
      const bytes = Buffer.alloc(2 ** 20);
      bytes.write(text, place);
      writeFileSync(card, bytes);
    };
    for (const [was, words, is] of [
      ["", ["clear"], "niac starts: 0 -\n"],
      ["niac starts: 3 A\n", ["clear"], "niac starts: 0 A\n"],
      ["niac starts: 3 A\n", ["mended", "A"], "niac starts: 3 -\n"],
      ["niac starts: 3 A\n", ["mended", "B"], "niac starts: 3 A\n"],
      ["niac starts: x; reboot\n", ["clear"], "niac starts: 0 -\n"],
    ] as const) {
      put(was);
      t.is(box.script("starts", words).code, 0, words.join(" "));
      t.is(stands(), is, `${was}${words.join(" ")}`);
    }
    t.is(box.script("starts", ["mended", "C"]).code, 2);
    put("niac starts: 3 B\n");
    t.is(box.backend("set-state", "A", "bad").code, 1, "what the box starts by default is not written to");
    t.is(stands(), "niac starts: 3 B\n");
    box.write("boot/env", `NIAC_SLOT=A\nNIAC_TRYBOOT=0\nNIAC_DISK=${card}\n`);
    t.is(box.backend("set-state", "B", "bad").code, 0, "with which RAUC begins to write a slot");
    t.is(stands(), "niac starts: 3 -\n");
    return Promise.resolve();
  },
);

testScripts("the default is what autoboot.txt says for all starts, and the one that is good", async (t) => {
  const box = new Box(t);
  t.is(box.backend("get-primary").out, "A");
  t.is(box.backend("get-current").out, "B");
  t.deepEqual(
    ["A", "B"].map((slot) => box.backend("get-state", slot).out),
    ["good", "bad"],
  );
  t.is(new Box(t, { autoboot: B }).backend("get-primary").out, "B");
  t.is(
    new Box(t, { autoboot: A.replaceAll("\n", "\r\n") }).backend("get-primary").out,
    "A",
    "written at a desk",
  );
});

for (const [what, autoboot] of Object.entries({
  empty: "",
  "without [all]": "[tryboot]\nboot_partition=3\n",
  "a partition that is no slot": A.replace("=2", "=1"),
  "two defaults": A.replace("boot_partition=2", "boot_partition=2\nboot_partition=3"),
})) {
  testScripts(`nothing is guessed where autoboot.txt is wrong: ${what}`, async (t) => {
    const box = new Box(t, { autoboot });
    for (const words of [
      ["get-primary"],
      ["set-primary", "B"],
      ["set-state", "A", "bad"],
      ["set-state", "B", "good"],
    ]) {
      t.not(box.backend(...words).code, 0, words.join(" "));
      t.is(box.read("seed/autoboot.txt"), autoboot);
    }
    t.is(box.read("port"), "", "the firmware was told nothing");
  });
}

testScripts(
  "what runs on trial and is called good becomes the default, and its floor the box's",
  async (t) => {
    const box = new Box(t);
    t.deepEqual(box.backend("set-state", "B", "good"), { code: 0, out: "", err: "" });
    t.is(box.read("seed/autoboot.txt"), B);
    t.is(box.read("seed/niac.conf"), "NIAC_ORIGIN=press-hall\n");
    t.is(
      box.read("lies-elsewhere"),
      null,
      "where it lay: a FAT knows no rename that a cut of the power leaves whole",
    );
    t.deepEqual(readdirSync(join(box.dir, "seed")), ["autoboot.txt", "niac.conf"], "and nothing beside it");
    t.is(box.read("data/floor"), "0.2.0\n");
    t.is(box.read("left-writable"), null);
    t.is(box.backend("set-state", "B", "good").code, 0, "and again");
    t.is(box.read("seed/autoboot.txt"), B);
  },
);

testScripts(
  "a file that an editor made longer is written where it lies, one that does not fit is refused",
  async (t) => {
    const longer = new Box(t, { autoboot: A.replaceAll("\n", "\r\n") });
    t.is(longer.backend("set-state", "B", "good").code, 0);
    t.is(longer.read("seed/autoboot.txt"), `${B}\n\n\n\n\n`);
    t.is(longer.read("lies-elsewhere"), null);
    t.is(longer.backend("get-primary").out, "B");
    const short = "[all]\nboot_partition=2\n";
    for (const autoboot of [short, A + "#".repeat(512)])
      for (const [slot, tryboot, state] of [
        ["A", "0", "bad"],
        ["B", "1", "good"],
      ] as const) {
        const box = new Box(t, { autoboot, slot, tryboot });
        const { code, err } = box.backend("set-state", "B", state);
        t.is(code, 1, state === "bad" ? "when an installation begins, before anything is written" : state);
        t.regex(err, /autoboot\.txt has \d+ bytes .*Copy it from niac's image/);
        t.is(box.read("seed/autoboot.txt"), autoboot);
        t.is(box.read("left-writable"), null);
        t.is(box.read("data/floor"), null);
      }
  },
);

testScripts("a floor is never lowered by an image that asks for less", async (t) => {
  const box = new Box(t);
  box.write("data/floor", "0.10.0\n");
  t.is(box.backend("set-state", "B", "good").code, 0);
  t.is(box.read("data/floor"), "0.10.0\n");
});

testScripts("a floor that cannot be kept takes back no commit, and is said", async (t) => {
  const box = new Box(t);
  rmSync(join(box.dir, "data"), { recursive: true });
  const { code, err } = box.backend("set-state", "B", "good");
  t.is(code, 0);
  t.regex(err, /the floor of this image cannot be kept/);
  t.is(box.read("seed/autoboot.txt"), B);
  mkdirSync(join(box.dir, "data"));
  t.deepEqual(box.backend("set-state", "B", "good"), { code: 0, out: "", err: "" });
  t.is(box.read("data/floor"), "0.2.0\n", "the next one keeps it");
});

testScripts(
  "an installation begins with the floor of what runs, which nobody may have had to call good",
  async (t) => {
    const box = new Box(t, { slot: "A", tryboot: "0" });
    t.deepEqual(box.backend("set-state", "B", "bad"), { code: 0, out: "", err: "" });
    t.is(box.read("data/floor"), "0.2.0\n");
    t.is(box.read("port"), "clear\n");
    box.write("lib/floor", "0.0.1\n");
    t.is(box.backend("set-state", "B", "bad").code, 0);
    t.is(box.read("data/floor"), "0.2.0\n", "what asks for less does not lower it");
    rmSync(join(box.dir, "data"), { recursive: true });
    t.regex(box.backend("set-state", "B", "bad").err, /what follows it may ask for less/);
  },
);

testScripts("asked to end in the middle of a commit, it leaves the partition read-only", async (t) => {
  for (const program of ["sync", "mv"]) {
    const box = new Box(t);
    box.endAt(program);
    t.is(box.backend("set-state", "B", "good").code, 143, program);
    t.is(box.read("left-writable"), null, program);
  }
});

testScripts("a slot that does not run is not called good, and the default is not given up", async (t) => {
  const box = new Box(t, { slot: "A", tryboot: "0" });
  t.regex(box.backend("set-state", "B", "good").err, /slot B does not run/);
  t.regex(box.backend("set-state", "A", "bad").err, /by default, and is not given up/);
  const trial = new Box(t);
  t.regex(
    trial.backend("set-state", "A", "bad").err,
    /by default, and is not given up/,
    "nor out of a trial",
  );
  t.regex(trial.backend("set-state", "B", "bad").err, /slot B runs/);
  for (const each of [box, trial]) {
    t.is(each.read("seed/autoboot.txt"), A);
    t.is(each.read("data/floor"), null);
  }
});

testScripts("trying the other slot is the firmware's one-shot flag and nothing else", async (t) => {
  const box = new Box(t, { slot: "A", tryboot: "0" });
  box.write("data/last-failure", "of an earlier trial\n");
  t.is(box.backend("set-primary", "B").code, 0);
  t.is(box.read("port"), "tryboot\n");
  t.is(box.read("seed/autoboot.txt"), A);
  t.is(box.read("data/last-failure"), null);
  t.is(box.backend("set-state", "B", "bad").code, 0, "it is written anew");
  t.is(box.read("port"), "clear\n");
  box.write("port", "");
  t.is(box.backend("set-primary", "A").code, 0, "the default is not tried");
  t.is(box.read("port"), "clear\n");
});

for (const words of [
  [],
  ["good"],
  ["get-state"],
  ["set-state", "B"],
  ["set-state", "C", "good"],
  ["set-primary", "../A"],
  ["set-state", "B", "great"],
]) {
  testScripts(`the bootloader's script knows no ${JSON.stringify(words)}`, async (t) => {
    const box = new Box(t);
    t.not(box.backend(...words).code, 0);
    t.is(box.read("seed/autoboot.txt"), A);
    t.is(box.read("port"), "");
  });
}

testScripts(
  "killed at every step of a commit, the box starts the old slot or the new, and the next attempt ends well",
  async (t) => {
    const whole = new Box(t);
    whole.killAt(0);
    t.is(whole.backend("set-state", "B", "good").code, 0);
    t.true(whole.started > 15, `${whole.started} steps`);
    const seen = new Set<string>();
    for (let at = 1; at <= whole.started; at++) {
      const box = new Box(t);
      box.killAt(at);
      box.backend("set-state", "B", "good");
      t.is(box.started, at, "it was killed there");
      const text = box.read("seed/autoboot.txt") ?? "";
      t.true(text === A || text === B, `killed at step ${at}: ${JSON.stringify(text)}`);
      const floor = box.read("data/floor");
      t.true(floor === null || floor === "0.2.0\n");
      seen.add(text);
      box.killAt(0);
      t.is(box.backend("set-state", "B", "good").code, 0, `after a kill at step ${at}`);
      t.is(box.read("seed/autoboot.txt"), B);
      t.is(box.read("data/floor"), "0.2.0\n");
    }
    t.is(seen.size, 2, "kills came before and after the moment that counts");
  },
);

testScripts(
  "the flag of a Raspberry Pi is the module's parameter; without either nothing can be tried",
  async (t) => {
    const box = new Box(t);
    const pi = { NIAC_FIRMWARE_PORT: join(box.dir, "none") };
    const without = box.script("tryboot", ["arm"], { ...pi, PATH: SYSTEM });
    t.is(without.code, 1);
    t.regex(without.err, /no one-shot flag .*no update can be tried/);
    mkdirSync(join(box.dir, "module/parameters"), { recursive: true });
    box.write("module/parameters/armed", "N\n");
    t.is(box.script("tryboot", ["arm"], pi).code, 0);
    t.is(box.read("module/parameters/armed"), "1\n");
    t.is(box.script("tryboot", ["clear"], pi).code, 0);
    t.is(box.read("module/parameters/armed"), "0\n");
    t.is(box.script("tryboot", ["both"], pi).code, 2);
  },
);

testScripts("the floor is the highest of what is there; a damaged one is what runs", async (t) => {
  const box = new Box(t);
  const floor = (text: string): string => {
    box.write("data/floor", text);
    return box.script("floor-of", [join(box.dir, "lib/floor"), join(box.dir, "data/floor")]).out;
  };
  t.is(floor("0.1.9\n"), "0.2.0");
  t.is(floor("0.10.0\n"), "0.10.0");
  for (const text of ["", "\0\0\0", "1.0\n", "0.3.0-rc.1\n", "0.3.0 \n"])
    t.is(floor(text), "0.9.0", JSON.stringify(text));
});

testScripts("RAUC itself installs nothing below the floor, as control says", async (t) => {
  const box = new Box(t);
  const asked = (version: string): number | null => {
    box.write("bundle/manifest.raucm", manifestOf({ board: "rpi4", version, description: "version=9.9.9" }));
    return box.script("rauc-check", [], { RAUC_BUNDLE_MOUNT_POINT: join(box.dir, "bundle") }).code;
  };
  const floors = ["0.2.0", "1.0.0", "1.10.0"];
  const versions = [
    "0.1.9",
    "0.2.0",
    "0.2.0-rc.1",
    "0.10.0",
    "1.0.0-rc.1",
    "1.0.0",
    "1.9.0",
    "1.10.0",
    "1.10.0-alpha.beta",
    "2.0.0",
    "10.0.0",
  ];
  for (const floor of floors) {
    box.write("data/floor", `${floor}\n`);
    for (const version of versions) {
      t.true(isVersion(version));
      t.is(asked(version) === 0, compareVersions(version, floor) >= 0, `${version} over ${floor}`);
    }
  }
  for (const version of ["", "latest", "9", "9.9.9;", "9.9.9\nversion=9.9.9", "zzz"])
    t.not(asked(version), 0, JSON.stringify(version));
});
