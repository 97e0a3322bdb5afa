import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { Supervisor, type ProcessSpec } from "../../../src/appliance/index.ts";
import { end, until } from "../../support/processes.ts";
import { specs } from "./specs.ts";

const PARENT = fileURLToPath(new URL("parent.ts", import.meta.url));

interface Crash {
  readonly name: string;
  readonly how: string;
  readonly pause: number;
}

class Bed {
  readonly file: string;
  readonly started: Array<{ readonly name: string; readonly pid: number }> = [];
  readonly crashes: Crash[] = [];
  /** Called with each crash, before the process is started again. */
  crashed: () => void = () => {};

  constructor(t: ExecutionContext) {
    const dir = mkdtempSync(join(tmpdir(), "niac-supervisor-"));
    this.file = join(dir, "said");
    writeFileSync(this.file, "");
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  }

  /** What the children said, as `name what`. */
  get said(): string[] {
    const lines = readFileSync(this.file, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => line.slice(0, line.lastIndexOf(" ")));
  }

  pid(name: string): number {
    return this.started.findLast((each) => each.name === name)?.pid ?? 0;
  }

  supervise(t: ExecutionContext, processes: readonly ProcessSpec[], patience = 60_000): Supervisor {
    const events = {
      started: (name: string, pid: number) => this.started.push({ name, pid }),
      crashed: (name: string, how: string, pause: number) => {
        this.crashes.push({ name, how, pause });
        this.crashed();
      },
    };
    const supervisor = new Supervisor(processes, events, patience);
    t.teardown(() => supervisor.stop());
    supervisor.start();
    return supervisor;
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("processes are stopped in the opposite order of their start, each only when the one after it has gone", async (t) => {
  const bed = new Bed(t);
  const supervisor = bed.supervise(t, specs(bed.file, { control: "", gateway: "" }));
  t.deepEqual(await until(() => bed.said.length === 2, "both to start").then(() => bed.said.toSorted()), [
    "control started",
    "gateway started",
  ]);
  await supervisor.stop();
  t.deepEqual(bed.said.slice(2), ["gateway told", "gateway stopped", "control told", "control stopped"]);
  t.deepEqual(bed.crashes, []);
  t.false(alive(bed.pid("control")) || alive(bed.pid("gateway")));
});

test("a process that is killed is started again, the other left alone", async (t) => {
  const bed = new Bed(t);
  bed.supervise(t, specs(bed.file, { control: "", gateway: "" }));
  await until(() => bed.said.length === 2, "both to start");
  const [control, gateway] = [bed.pid("control"), bed.pid("gateway")];
  process.kill(gateway, "SIGKILL");
  await until(() => bed.said.length === 3, "it to start again");
  t.is(bed.said[2], "gateway started");
  t.deepEqual(bed.crashes, [{ name: "gateway", how: "SIGKILL", pause: 100 }]);
  t.is(bed.pid("control"), control);
  t.not(bed.pid("gateway"), gateway);
});

test("the pause doubles with every crash, and a stop in it starts nothing more", async (t) => {
  const bed = new Bed(t);
  const third = new Promise<void>((resolve) => {
    bed.crashed = () => {
      if (bed.crashes.length === 3) resolve();
    };
  });
  const supervisor = bed.supervise(t, specs(bed.file, { control: "crash" }));
  await third;
  await supervisor.stop();
  t.deepEqual(bed.crashes, [
    { name: "control", how: "exit code 3", pause: 100 },
    { name: "control", how: "exit code 3", pause: 200 },
    { name: "control", how: "exit code 3", pause: 400 },
  ]);
  // Of two timers as long, Node calls the older one first: the next start would have been before this.
  await new Promise((resolve) => setTimeout(resolve, 400));
  t.is(bed.started.length, 3);
});

test("a program that is not there counts as a crash, and does not end the supervisor", async (t) => {
  const bed = new Bed(t);
  const supervisor = bed.supervise(t, [
    { name: "control", command: "/nonexistent/program", args: [] },
    ...specs(bed.file, { gateway: "" }),
  ]);
  await until(() => bed.crashes.length >= 2 && bed.said.length === 1, "attempts");
  t.regex(bed.crashes[0]?.how ?? "", /ENOENT/);
  await supervisor.stop();
  t.deepEqual(bed.said, ["gateway started", "gateway told", "gateway stopped"]);
});

test("a process that does not stop when told is killed, and the others still get their turn", async (t) => {
  const bed = new Bed(t);
  const supervisor = bed.supervise(t, specs(bed.file, { control: "", gateway: "deaf" }), 3_000);
  await until(() => bed.said.length === 2, "both to start");
  await supervisor.stop();
  t.deepEqual(bed.said.slice(2), ["gateway told", "control told", "control stopped"]);
  t.false(alive(bed.pid("gateway")));
});

test("where the supervisor is killed, its processes see the end of their input and stop", async (t) => {
  const bed = new Bed(t);
  const parent = spawn(process.execPath, [PARENT, bed.file], { stdio: "ignore" });
  t.teardown(() => end(parent, "SIGKILL"));
  await until(() => bed.said.length === 2, "both to start");
  await end(parent, "SIGKILL");
  await until(() => bed.said.length === 4, "both to stop");
  t.deepEqual(bed.said.slice(2).toSorted(), ["control orphaned", "gateway orphaned"]);
});
