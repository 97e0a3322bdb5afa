import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { defineCall, UnavailableError, type Channel } from "../../../src/base/index.ts";
import { dial, listen } from "../../../src/link/index.ts";

const echo = defineCall("echo", z.string(), z.string());

function place(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), "niac-sockets-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "admin.sock");
}

async function open(t: ExecutionContext, path: string): Promise<Server> {
  const server = await listen(path, "control", (channel) => channel.handle(echo, (text) => text));
  t.teardown(() => void server.close());
  return server;
}

async function opened(t: ExecutionContext, path: string): Promise<Channel> {
  const channel = await dial(path, "command");
  t.teardown(() => channel.close());
  return channel;
}

test("who dials gets a channel to who listens", async (t) => {
  const path = place(t);
  await open(t, path);
  const channels = await Promise.all([opened(t, path), opened(t, path)]);
  t.deepEqual(await Promise.all(channels.map((channel, i) => channel.call(echo, `text ${i}`))), [
    "text 0",
    "text 1",
  ]);
});

test.serial("only the socket's owner may open it, whatever the process' mask is", async (t) => {
  const before = process.umask(0);
  t.teardown(() => void process.umask(before));
  const path = place(t);
  await open(t, path);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.is(process.umask(), 0, "and the mask is as it was");
});

test("where nobody listens it is said what is not there, and what to do", async (t) => {
  const path = place(t);
  const error = await t.throwsAsync(dial(path, "command"), {
    instanceOf: UnavailableError,
    code: "control-away",
  });
  t.true(error?.message.includes(path) && error.message.includes("ENOENT"));
  t.regex(error?.advice ?? "", /niac up/);
});

test("a second control on the same socket is refused, and the first goes on", async (t) => {
  const path = place(t);
  await open(t, path);
  await t.throwsAsync(open(t, path), { instanceOf: UnavailableError, code: "already-running" });
  t.is(await (await opened(t, path)).call(echo, "still here"), "still here");
});

test("a file that a process left behind is replaced", async (t) => {
  const path = place(t);
  writeFileSync(path, "");
  await t.throwsAsync(dial(path, "command"), { code: "control-away" });
  await open(t, path);
  t.is(await (await opened(t, path)).call(echo, "new"), "new");
});

test("a place where there can be no socket is an error that says what to check", async (t) => {
  for (const path of [join(place(t), "deeper", "admin.sock"), `${place(t)}${"x".repeat(100)}`]) {
    const error = await t.throwsAsync(open(t, path), { instanceOf: UnavailableError, code: "listen" });
    t.true(error?.message.includes(path));
    t.regex(error?.advice ?? "", /NIAC_RUN_DIR/);
  }
});
