import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { ClockChip, ClockSystem, TimeFollowing } from "../../../src/appliance/index.ts";
import { pino } from "pino";
import { AuditLog, createRecords, openDatabase, type AuditRecord } from "../../../src/audit/index.ts";
import { UnavailableError, UsageError, type Clock } from "../../../src/base/index.ts";
import { CLOCK_BOUNDS, ClockDesk } from "../../../src/control/clock.ts";
import { directory } from "../audit/samples.ts";

const NOW = Date.UTC(2026, 9, 1, 16);
const RIGHT = Date.UTC(2026, 9, 1, 18);
const SILENT: TimeFollowing = { followed: null, servers: [] };
const FAR: TimeFollowing = {
  followed: null,
  servers: [{ address: "10.20.0.9", state: "disbelieved", ahead: -7_200_000 }],
};

/** A clock that can be set, and one beside it that cannot. */
class SetClock implements Clock {
  time = NOW;
  off = 0;

  now(): number {
    return this.time + this.off;
  }

  monotonic(): number {
    return this.time;
  }
}

/** An image's clock whose answers the test says; it sets the test's clock. */
class TableSystem implements ClockSystem {
  readonly asked: number[] = [];
  servers: readonly string[] = [];
  told: TimeFollowing = SILENT;
  fails: Error | null = null;
  to: number | null = null;
  has: ClockChip | null = { name: "rtc0", keepsTime: true, setTheClock: true };
  readonly #clock: SetClock;

  constructor(clock: SetClock) {
    this.#clock = clock;
  }

  async set(seconds: number): Promise<"set"> {
    this.asked.push(seconds);
    await Promise.resolve();
    if (this.fails !== null) throw this.fails;
    this.to = seconds * 1_000;
    this.#clock.off = this.to - this.#clock.time;
    return "set";
  }

  follow(servers: readonly string[]): void {
    if (this.fails !== null) throw this.fails;
    this.servers = servers;
  }

  following(): TimeFollowing {
    return this.told;
  }

  setTo(): number | null {
    return this.to;
  }

  chip(): ClockChip | null {
    return this.has;
  }
}

interface Bed {
  readonly desk: ClockDesk;
  readonly system: TableSystem;
  readonly clock: SetClock;
  readonly faults: Map<string, string>;
  readonly records: () => readonly AuditRecord[];
  /** Once all is on record that was to be until now. */
  readonly written: () => Promise<unknown>;
}

function bed(t: ExecutionContext, inImage = true): Bed {
  const clock = new SetClock();
  const db = openDatabase(join(directory(t), "niac.db"), [createRecords]);
  t.teardown(() => void db.close());
  const audit = new AuditLog(db, "box", { clock });
  const system = new TableSystem(clock);
  const faults = new Map<string, string>();
  const times = (): { now: number; floor: number } => ({ now: clock.now(), floor: 0 });
  const desk = new ClockDesk({
    audit,
    clock,
    log: pino({ level: "silent" }),
    trust: { clock: times, acceptClock: () => Promise.resolve(times()) },
    system: inImage ? system : null,
    fault(source, why) {
      if (why === null) faults.delete(source);
      else faults.set(source, why);
    },
  });
  const records = (): readonly AuditRecord[] => audit.read({ limit: 100, reverse: false });
  return { desk, system, clock, faults, records, written: () => audit.flush() };
}

test("the clock is set once that is on record, with who set it, from what and to what", async (t) => {
  const { desk, system, records } = bed(t);
  const order: string[] = [];
  const set = system.set.bind(system);
  system.set = (seconds) => {
    order.push(...records().map(({ detail }) => String(detail?.["action"])));
    return set(seconds);
  };
  const { clock, chip } = await desk.set(RIGHT, "alice");
  t.deepEqual(order, ["clock-set"], "on record before it is asked for");
  t.deepEqual(system.asked, [RIGHT / 1_000]);
  t.is(chip, "set");
  t.is(clock.now, RIGHT);
  t.deepEqual(clock.source, { from: "hand", at: RIGHT });
  const [record] = records();
  t.like(record, {
    kind: "box",
    time: NOW,
    reason: "alice sets the clock from 2026-10-01T16:00:00.000Z to 2026-10-01T18:00:00.000Z",
    detail: { action: "clock-set", by: "alice", from: NOW, to: RIGHT },
  });
});

test("that it was not set is on record too, and the next try may be made", async (t) => {
  const { desk, system, records } = bed(t);
  system.fails = new UnavailableError("clock-not-set", "the clock was not set: nobody answered");
  const refused = t.throwsAsync(desk.set(RIGHT, "alice"), { code: "clock-not-set" });
  await t.throwsAsync(desk.set(RIGHT, "bob"), { code: "clock-busy" }, "one at a time");
  await refused;
  t.deepEqual(
    records().map(({ detail }) => detail?.["action"]),
    ["clock-set", "clock-not-set"],
  );
  system.fails = null;
  t.is((await desk.set(RIGHT, "alice")).clock.now, RIGHT);
});

test("a time that no chip holds, or older than the image, is refused, and nothing is on record", async (t) => {
  const { desk, system, records } = bed(t);
  for (const time of [0, CLOCK_BOUNDS.first - 1, CLOCK_BOUNDS.end])
    await t.throwsAsync(desk.set(time, "alice"), { instanceOf: UsageError, code: "clock-bounds" });
  t.deepEqual(system.asked, []);
  t.deepEqual(records(), []);
});

test("outside of the image the computer's own tools set the clock, and it is said", async (t) => {
  const { desk, records } = bed(t, false);
  desk.follow(["10.20.0.9"]);
  desk.look();
  await t.throwsAsync(desk.set(RIGHT, "alice"), { code: "no-image", message: /this computer's clock/ });
  t.deepEqual(desk.show(), { now: NOW, floor: 0, source: { from: "computer" }, servers: [] });
  t.deepEqual(records(), []);
});

test("the site document's servers are followed; that they cannot be is a fault until they are", (t) => {
  const { desk, system, faults } = bed(t);
  system.fails = new Error("ENOSPC");
  desk.follow(["10.20.0.9"]);
  t.regex(faults.get("time servers") ?? "", /ENOSPC/);
  system.fails = null;
  desk.follow(["10.20.0.9"]);
  t.is(faults.size, 0);
  t.deepEqual(system.servers, ["10.20.0.9"]);
});

test("servers none of which is believed are a fault, and no longer once one is followed", (t) => {
  const { desk, system, faults } = bed(t);
  system.told = FAR;
  desk.look();
  t.is(
    faults.get("time server"),
    "time server 10.20.0.9 says a time 2 h before the clock's, and is not believed",
  );
  const good = { address: "10.20.0.10", state: "followed", ahead: 0.1 } as const;
  system.told = { followed: { address: "10.20.0.10", at: NOW }, servers: [...FAR.servers, good] };
  desk.look();
  t.is(faults.size, 0);
  t.deepEqual(desk.show().source, { from: "server", address: "10.20.0.10", at: NOW });
});

test("a clock that nothing has set is a fault once servers have had their time to answer", (t) => {
  const { desk, system, clock, faults } = bed(t);
  system.has = null;
  desk.look();
  t.is(faults.size, 0);
  clock.time += 3 * 60_000;
  desk.look();
  t.regex(faults.get("time") ?? "", /nothing has set the clock/);
  t.deepEqual(desk.show().source, { from: "nowhere" });
  system.to = RIGHT;
  desk.look();
  t.is(faults.size, 0);
  Object.assign(system, { to: null, has: { name: "rtc0", keepsTime: false, setTheClock: false } });
  desk.look();
  t.is(faults.size, 0, "a chip that lost the time is a fault of its own");
});

test("a jump of the clock is on record with whose it was, and one by hand not twice", async (t) => {
  const { desk, system, clock, records, written } = bed(t);
  const jumps = async (): Promise<(AuditRecord["detail"] | undefined)[]> => {
    await written();
    return records().flatMap(({ detail }) => (detail?.["action"] === "clock-jumped" ? [detail] : []));
  };
  clock.time += 15_000;
  desk.look();
  await desk.set(RIGHT, "alice");
  desk.look();
  t.deepEqual(await jumps(), []);
  clock.off += 600_000;
  const to = clock.now();
  desk.look();
  t.deepEqual(await jumps(), [], "chrony says it later than it does it");
  system.told = { followed: { address: "10.20.0.9", at: NOW }, servers: [] };
  desk.look();
  desk.look();
  desk.look();
  const [jump, ...more] = await jumps();
  t.deepEqual(more, []);
  t.like(jump, { by: "10.20.0.9", to, from: to - 600_000 });
  clock.off -= 3_600_000;
  desk.look();
  clock.off += 7_200_000;
  desk.look();
  t.is((await jumps()).length, 2, "another one does not swallow it");
  t.regex(
    records().at(-1)?.reason ?? "",
    /^the clock was set back by 60 min, to .*, by time server 10\.20\.0\.9$/,
  );
});
