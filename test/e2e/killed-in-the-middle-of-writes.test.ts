import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import type { Credential } from "../support/pki.ts";
import { pressSite } from "../support/sites.ts";
import { mbpoll, PymodbusMachine, stunnel, testWith } from "../support/tools.ts";

const WRITES = 1_000;
const WRITERS = 4;
/** Seen by the machine by then, each is followed by a kill. */
const KILLS = [
  { after: 200, names: ["control"] },
  { after: 400, names: ["gateway"] },
  { after: 600, names: ["control", "gateway"] },
] as const;

/** Writes value after value, none twice, to an address of its own, over every loss of the connection, until told to stop. */
async function write(
  bed: Appliance,
  credential: Credential,
  address: number,
  next: () => number,
  stopped: () => boolean,
): Promise<Set<number>> {
  const done = new Set<number>();
  while (!stopped()) {
    try {
      const client = await ModbusClient.connect(bed, { credential });
      while (!stopped() && !client.ended) {
        const value = next();
        if ((await client.write(address, value)).exception === 0) done.add(value);
        else await pause();
      }
      client.close();
    } catch {
      await pause();
    }
  }
  return done;
}

async function poll(tunnel: number, next: () => number, stopped: () => boolean): Promise<void> {
  while (!stopped()) await mbpoll(tunnel, { address: WRITERS, write: [next()] });
}

/** So that attempts do not run out while nobody answers. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

testWith(
  "mbpoll",
  "stunnel4",
  "pymodbus",
)(
  "after kill -9 of control, gateway and both among 1,000 writes the record and the machine agree",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: pressSite(machine.port) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const tunnel = await stunnel(t, bed, { credential });
    let value = 0;
    let stopped = false;
    const next = (): number => ++value;
    const writers = Array.from({ length: WRITERS }, (_, i) => write(bed, credential, i, next, () => stopped));
    const poller = poll(tunnel, next, () => stopped);

    for (const { after, names } of KILLS) {
      await bed.until(
        async () => (await machine.written()).length >= after,
        `${after} writes at the machine`,
      );
      const seen = bed.log.length;
      const pids = names.map((name) => bed.pid(name));
      for (const pid of pids) process.kill(pid, "SIGKILL");
      for (const name of names) await bed.logged(`"msg":"${name} started"`, seen);
      await bed.attached(seen);
    }
    await bed.until(
      async () => (await machine.written()).length >= WRITES,
      `${WRITES} writes at the machine`,
    );
    stopped = true;
    const done = new Set((await Promise.all(writers)).flatMap((values) => [...values]));
    await poller;
    const written = await machine.written();
    t.true(
      written.some(({ address }) => address === WRITERS),
      "mbpoll wrote too",
    );

    const starts = await bed.records("kind=session.start");
    const ends = await bed.recorded(starts.length, "kind=session.end");
    const over = new Set(ends.map(({ session }) => session));
    t.is(ends.length, starts.length);
    t.true(
      starts.every(({ session }) => over.delete(session)),
      "every session has one end",
    );
    const operations = await bed.records("kind=operation", "decision=permit");
    const outcomes = await bed.recorded(operations.length, "kind=outcome");
    const settled = new Set(outcomes.map(({ ref }) => ref));
    t.is(outcomes.length, operations.length);
    t.true(
      operations.every(({ id }) => settled.delete(id)),
      "every write has one outcome",
    );

    const became = new Map(outcomes.map(({ ref, outcome }) => [ref, outcome]));
    const recorded = new Map<number | undefined, string | undefined>();
    for (const { id, operation } of operations) recorded.set(operation?.writes?.values?.[0], became.get(id));
    t.is(recorded.size, operations.length, "no write is on record twice");
    const reached = new Set(written.map(({ values }) => values[0]));
    t.is(reached.size, written.length, "no write reached the machine twice");
    const said = [...became.values()];
    t.log(
      `${reached.size} writes reached the machine, ${operations.length} are on record: ` +
        ["ok", "unknown", "not-sent", "timeout", "exception"]
          .map((what) => `${said.filter((outcome) => outcome === what).length} ${what}`)
          .join(", "),
    );
    for (const each of reached) {
      const outcome = recorded.get(each);
      t.true(
        outcome === "ok" || outcome === "unknown",
        `${each} reached the machine; its record says ${outcome}`,
      );
    }
    for (const [each, outcome] of recorded) {
      if (outcome === "ok")
        t.true(reached.has(each), `${each} is on record as done and never reached the machine`);
    }
    for (const each of done)
      t.true(reached.has(each), `${each} was answered as done and never reached the machine`);

    const after = await ModbusClient.connect(bed, { credential });
    t.is((await after.write(1, 65_000)).exception, 0, "all works again");
    t.deepEqual((await after.read(1)).values, [65_000]);
  },
);
