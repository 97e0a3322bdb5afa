import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { BugError, PeerError, UnavailableError, UsageError, type Channel } from "../../../src/base/index.ts";
import { ask, explain, withControl } from "../../../src/command/context.ts";
import { endCommand, sessionsCommand, siteCommand, type Surroundings } from "../../../src/command/index.ts";
import { ADMIN_SOCKET, listen, sessionsEnd, sessionsList, siteHistory } from "../../../src/link/index.ts";

class Around implements Surroundings {
  readonly printed: string[] = [];
  readonly complained: string[] = [];
  readonly color = false;
  readonly width = 120;
  readonly user = "engineer-1";
  readonly runDir: () => string;
  code = 0;

  constructor(runDir: string) {
    this.runDir = () => runDir;
  }

  print(line: string): void {
    this.printed.push(line);
  }

  complain(line: string): void {
    this.complained.push(line);
  }

  exit(code: number): void {
    this.code = code;
  }

  interrupted(): Promise<void> {
    return Promise.resolve();
  }

  secret(): Promise<string | null> {
    return Promise.resolve(null);
  }
}

/** Surroundings, and a control that answers as `serve` says. */
async function around(t: ExecutionContext, serve?: (channel: Channel) => void): Promise<Around> {
  const dir = mkdtempSync(join(tmpdir(), "niac-command-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  if (serve) {
    const server = await listen(join(dir, ADMIN_SOCKET), "control", serve);
    t.teardown(() => void server.close());
  }
  return new Around(dir);
}

test("an answer is asked for over a channel that is closed afterwards", async (t) => {
  const gone = Promise.withResolvers<Error>();
  const here = await around(t, (channel) => {
    channel.handle(siteHistory, () => []);
    channel.onClosed(gone.resolve);
  });
  t.deepEqual(await ask(here, siteHistory, null), []);
  t.like(await gone.promise, { code: "channel-lost" });
});

test("the channel is closed where its use fails, too", async (t) => {
  const gone = Promise.withResolvers<Error>();
  const here = await around(t, (channel) => channel.onClosed(gone.resolve));
  await t.throwsAsync(
    withControl(here, () => Promise.reject(new UsageError("x", "wrong"))),
    { code: "x" },
  );
  t.like(await gone.promise, { code: "channel-lost" });
});

test("without control a command says so and what to do", async (t) => {
  const error = await t.throwsAsync(ask(await around(t), siteHistory, null), {
    instanceOf: UnavailableError,
  });
  t.is(explain(error).length, 2);
  t.regex(explain(error).join("\n"), /does not answer.*\nStart the appliance/);
});

test("an error is explained in its own words; a bug keeps its stack", (t) => {
  t.deepEqual(explain(new UsageError("x", "what happened", "what to do")), ["what happened", "what to do"]);
  t.deepEqual(explain(new PeerError("x", "what happened")), ["what happened"]);
  for (const bug of [new BugError("x", "broken"), new TypeError("broken")]) {
    t.regex(explain(bug).join("\n"), /niac itself failed[^]*broken[^]*context\.test\.ts/);
  }
  t.deepEqual(explain("text").slice(1), ["text"]);
});

test("sessions are shown with who, where and how much, made printable", async (t) => {
  const session = {
    id: "abc",
    kind: "certificate" as const,
    user: "alice\u001b[31m",
    device: "laptop-7",
    source: "10.0.0.1:50000",
    machine: "press-4",
    destination: null,
    service: "plc",
    grants: ["recipes", "reading"],
    started: Date.now(),
    lastActive: Date.now(),
    reads: 3,
    writes: 2,
    denials: 1,
    bytesIn: 1_500,
    bytesOut: 20,
  };
  const here = await around(t, (channel) => channel.handle(sessionsList, () => [session]));
  await sessionsCommand(here).parseAsync([], { from: "user" });
  t.is(here.printed.length, 2);
  t.regex(
    here.printed[1] ?? "",
    /^abc +alice.* \(laptop-7\) +10\.0\.0\.1:50000 +press-4\/plc +recipes, reading/,
  );
  t.false(here.printed.join().includes("\u001b"));
  const others = [
    { ...session, kind: "source" as const, user: "scada-1", device: null },
    { ...session, kind: "machine" as const, user: "press-4", device: null, destination: "plc-12" },
  ];
  const uncertified = await around(t, (channel) => channel.handle(sessionsList, () => others));
  await sessionsCommand(uncertified).parseAsync([], { from: "user" });
  t.regex(uncertified.printed[1] ?? "", /^abc +scada-1, no certificate +10\.0\.0\.1:50000 +press-4\/plc /);
  t.regex(uncertified.printed[2] ?? "", /^abc +press-4, machine +10\.0\.0\.1:50000 +plc-12\/plc /);
  const none = await around(t, (channel) => channel.handle(sessionsList, () => []));
  await sessionsCommand(none).parseAsync([], { from: "user" });
  t.deepEqual(none.printed, ["No sessions."]);
});

test("ending a session says who ends it and why; one that is not there is an error", async (t) => {
  const asked: unknown[] = [];
  const here = await around(t, (channel) => {
    channel.handle(sessionsEnd, (params) => {
      asked.push(params);
      return { ended: params.session === "abc" };
    });
  });
  await endCommand(here).parseAsync(["abc", "--reason", "shift is over"], { from: "user" });
  t.deepEqual(asked, [{ session: "abc", reason: "shift is over", by: "engineer-1" }]);
  t.deepEqual(here.printed, ["session abc is ended"]);
  await t.throwsAsync(endCommand(here).parseAsync(["xyz"], { from: "user" }), {
    instanceOf: UsageError,
    code: "no-session",
  });
});

test("an empty history, and a version that is no number", async (t) => {
  const here = await around(t, (channel) => channel.handle(siteHistory, () => []));
  await siteCommand(here).parseAsync(["history"], { from: "user" });
  t.deepEqual(here.printed, ["No site document was applied yet."]);
  for (const version of ["one", "1.5", "9999999999"]) {
    await t.throwsAsync(siteCommand(here).parseAsync(["rollback", version], { from: "user" }), {
      instanceOf: UsageError,
      code: "version",
    });
  }
});
