import test from "ava";
import { UnavailableError } from "../../../src/base/index.ts";
import { createNotifier, type NotifyAddon } from "../../../src/appliance/index.ts";
import { until } from "../../support/processes.ts";

const PID = 417;
const MANAGER = { NOTIFY_SOCKET: "/run/manager" };
/** Signs are due every five milliseconds. */
const WATCHED = { ...MANAGER, WATCHDOG_USEC: "15000", WATCHDOG_PID: String(PID) };

/** A manager that takes every word but the first `full`. */
function manager(full = 0): { readonly addon: NotifyAddon; readonly heard: string[] } {
  const heard: string[] = [];
  const addon = {
    notify(path: string, text: string): boolean {
      if (path !== MANAGER.NOTIFY_SOCKET) throw new Error(`told ${path}`);
      return full-- <= 0 && heard.push(text) > 0;
    },
  };
  return { addon, heard };
}

test("where no service manager asks, nothing is said, and no addon is needed", (t) => {
  const notifier = createNotifier({ WATCHDOG_USEC: "15000" }, PID, null, t.fail);
  t.notThrows(() => {
    notifier.ready(() => t.fail());
    notifier.stopping();
  });
});

test("a service manager that waits for a word, and no addon to say it with, is an error", (t) => {
  const error = t.throws(() => createNotifier(MANAGER, PID, null, t.fail), { instanceOf: UnavailableError });
  t.regex(error?.advice ?? "", /Build the addon/);
});

test("it is told when the process is up, while it lives, and when it stops", async (t) => {
  const { addon, heard } = manager();
  const notifier = createNotifier(WATCHED, PID, addon, t.fail);
  t.deepEqual(heard, []);
  notifier.ready(() => Promise.resolve(true));
  await until(() => heard.length >= 4, "three signs of life");
  notifier.stopping();
  t.is(heard[0], "READY=1");
  t.is(heard.at(-1), "STOPPING=1");
  t.deepEqual(new Set(heard.slice(1, -1)), new Set(["WATCHDOG=1"]));
  const length = heard.length;
  await pause(30);
  t.is(heard.length, length, "and then no more");
});

test("that it is up is said again where the manager did not take it", async (t) => {
  const { addon, heard } = manager(2);
  createNotifier(MANAGER, PID, addon, t.fail).ready(() => t.fail());
  await until(() => heard.length > 0, "the word to be taken");
  t.deepEqual(heard, ["READY=1"]);
});

test("signs are given to a manager that asks this process for them, and to no other", async (t) => {
  const others = [
    { ...WATCHED, WATCHDOG_PID: "418" },
    { ...WATCHED, WATCHDOG_USEC: "0" },
    { ...WATCHED, WATCHDOG_USEC: "soon" },
    { ...WATCHED, WATCHDOG_USEC: undefined },
  ];
  for (const environment of others) {
    const { addon, heard } = manager();
    const notifier = createNotifier(environment, PID, addon, t.fail);
    notifier.ready(() => t.fail());
    await pause(30);
    notifier.stopping();
    t.deepEqual(heard, ["READY=1", "STOPPING=1"]);
  }
});

test("what is not alive gives no sign; it is said once, and again only after a sign was given", async (t) => {
  const { addon, heard } = manager();
  const said: string[] = [];
  let looks = 0;
  let closed = false;
  let alive = false;
  const notifier = createNotifier(WATCHED, PID, addon, (problem) => said.push(problem));
  notifier.ready(() => {
    looks++;
    if (closed) throw new Error("the database is closed");
    return alive;
  });
  await until(() => looks > 3, "four looks");
  t.deepEqual(heard, ["READY=1"]);
  t.deepEqual(said, ["no sign of life: it does not do what it is there for"]);

  alive = true;
  await until(() => heard.length > 1, "a sign");
  closed = true;
  await until(() => said.length > 1, "the next problem");
  t.is(said[1], "no sign of life: the database is closed");
  notifier.stopping();
});

test("a look that hangs is not followed by another, and gives no sign", async (t) => {
  const { addon, heard } = manager();
  const said: string[] = [];
  let looks = 0;
  const answer = Promise.withResolvers<boolean>();
  const notifier = createNotifier(WATCHED, PID, addon, (problem) => said.push(problem));
  notifier.ready(() => {
    looks++;
    return answer.promise;
  });
  await until(() => said.length > 0, "it to be said");
  t.is(looks, 1);
  t.deepEqual(heard, ["READY=1"]);
  t.regex(said[0] ?? "", /did not answer/);

  answer.resolve(true);
  await until(() => heard.length > 1, "a sign after all");
  notifier.stopping();
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
