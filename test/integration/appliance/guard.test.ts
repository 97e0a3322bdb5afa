import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { GUARDED_NODE } from "../../../src/appliance/index.ts";
import { loadNative } from "../../../src/native/index.ts";
import { testWith } from "../../support/tools.ts";

const PROGRAM = new URL("guarded.ts", import.meta.url).pathname;
/** As in guarded.ts. */
const HELD = Buffer.from(Array.from({ length: 64 }, (_, index) => (index * 37 + 11) & 0xff));
const native = "native" in loadNative();

const REPORT = z.object({
  guarded: z.object({ dumps: z.string(), locked: z.boolean(), problems: z.array(z.string()) }).nullable(),
  grown: z.number(),
  locked: z.number(),
});

interface Crash {
  readonly report: z.infer<typeof REPORT>;
  readonly signal: string | null;
  /** What it left behind. */
  readonly dumps: Buffer[];
}

/** What a process leaves that aborts where the kernel's limit would let it leave all. */
function crash(t: ExecutionContext, how: string, ...options: string[]): Crash {
  const directory = mkdtempSync(join(tmpdir(), "niac-core-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const run = spawnSync(
    "prlimit",
    ["--core=unlimited", process.execPath, ...options, PROGRAM, how, "abort"],
    { cwd: directory, encoding: "utf8" },
  );
  const dumps = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  return { report: REPORT.parse(JSON.parse(run.stdout)), signal: run.signal, dumps };
}

/** Only where the kernel puts dumps into the directory of who crashed can a test see them. */
const pattern = readFileSync("/proc/sys/kernel/core_pattern", "utf8").trim();
const seen = /^[^|/]+$/.test(pattern);
const limited = spawnSync("prlimit", ["--core=unlimited", "true"]).status !== 0;

function testDumps(title: string, implementation: (t: ExecutionContext) => void): void {
  if (!seen) test.skip(`${title} (dumps go elsewhere here: ${pattern})`, implementation);
  else if (limited) test.skip(`${title} (dumps are forbidden here)`, implementation);
  else test(title, implementation);
}

testDumps("a process that does not guard its memory leaves all of it when it crashes", (t) => {
  const { dumps, signal } = crash(t, "unguarded");
  t.is(signal, "SIGABRT");
  t.is(dumps.length, 1);
  t.true(dumps[0]?.includes(HELD));
});

testDumps("without the addon a crash leaves a dump without memory", (t) => {
  const { report, dumps, signal } = crash(t, "filter");
  t.is(signal, "SIGABRT");
  t.is(report.guarded?.dumps, "empty");
  t.is(dumps.length, 1);
  t.false(dumps[0]?.includes(HELD));
  t.true((dumps[0]?.length ?? 0) < 1_000_000, `${dumps[0]?.length} bytes`);
});

if (native) {
  testDumps("with the addon a crash leaves nothing", (t) => {
    const { report, dumps, signal } = crash(t, "addon");
    t.is(signal, "SIGABRT");
    t.is(report.guarded?.dumps, "none");
    t.deepEqual(dumps, []);
  });
}

/** What a guarded process says of itself; `wrapper`: a command it is started by. */
function reportOf(wrapper: readonly string[], ...options: string[]): z.infer<typeof REPORT> {
  const [command, ...args] = [...wrapper, process.execPath, ...options, PROGRAM, "addon"];
  const run = spawnSync(command, args, { encoding: "utf8" });
  return REPORT.parse(JSON.parse(run.stdout));
}

test("with Node's options for it, OpenSSL's keys are in locked memory, and memory does not grow", (t) => {
  const { guarded, locked, grown } = reportOf([], ...GUARDED_NODE);
  t.true(guarded?.locked);
  t.is(locked, 4_096);
  t.true(grown < 4_096, `${grown} kB`);
});

testWith(
  "root",
  "prlimit",
  "setpriv",
)("where the limit of locked memory forbids it, that is said, and it runs", async (t) => {
  const wrapper = ["prlimit", "--memlock=65536:65536", "setpriv", "--bounding-set=-all", "--inh-caps=-all"];
  const { guarded, locked } = reportOf(wrapper, ...GUARDED_NODE);
  t.false(guarded?.locked);
  t.is(locked, 0);
  t.true(
    guarded?.problems.includes(
      "private keys are not in locked memory: the limit of locked memory is too low (LimitMEMLOCK=8M in the service, ulimit -l)",
    ),
    guarded?.problems.join("\n"),
  );
});

if (native) {
  testWith("root")(
    "a common user's guarded process works as before, and nobody else reads its memory",
    async (t) => {
      const run = spawnSync(process.execPath, [...GUARDED_NODE, PROGRAM, "none", "user"], {
        encoding: "utf8",
      });
      t.deepEqual(JSON.parse(run.stdout), {
        dumps: "none",
        works: {
          memory: true,
          descriptors: true,
          program: true,
          child: 0,
          signal: true,
          worker: 1,
          own: true,
        },
        other: 1,
      });
    },
  );

  test("its parent can still end it", async (t) => {
    const child = spawn(process.execPath, [PROGRAM, "addon", "wait"], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(child.stdout.setEncoding("utf8"), "data");
    t.is(REPORT.parse(JSON.parse(String(line))).guarded?.dumps, "none");
    child.kill("SIGTERM");
    t.deepEqual(await once(child, "exit"), [null, "SIGTERM"]);
  });
}
