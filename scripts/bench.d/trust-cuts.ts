/** Access taken away while sessions are open: from the command to the last byte, and what others notice of it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { authorityRevoke, locksAdd, locksRemove } from "../../src/link/index.ts";
import { closeSessions, openSessions, targetOf, type Session } from "./load.ts";
import { filesAllowed, PinnedProcess } from "./processes.ts";
import { NIAC } from "./results.ts";
import { Authority, type Person } from "./trust-appliance.ts";
import { CUT_NAMES, type Cut } from "./trust-rows.ts";
import type { TrustBench } from "./trust.ts";

export interface CutAmounts {
  readonly rounds: number;
  readonly sessions: readonly number[];
}

/** The one whose access is taken away, and one of whom nobody spoke. */
const CUT_OFF: Person = "engineer-2";
const OTHER: Person = "engineer-1";
/** The machine queues no more requests at once than that. */
const OPENED_AT_ONCE = 500;
/** Milliseconds: for openings' records to be committed, so that none of them is measured with what follows. */
const CALM = 500;
/** Descriptors that the gateway and the clients have open beside the sessions'. */
const OTHER_FILES = 200;
const PATIENCE = 60_000;
const SCRIPT = join(import.meta.dirname, "trust-other.ts");
const REASON = "The bench takes access away";

export async function measureCuts(bench: TrustBench, authority: Authority): Promise<void> {
  const { amounts, add, progress, wants, inTime, inRounds } = bench;
  const { rounds, sessions } = amounts.cuts;
  const typed = CUT_NAMES.filter((cut) => wants(`${cut}.typed`));
  if (typed.length > 0) {
    await inRounds("commands as typed", rounds, async () => {
      for (const cut of typed) {
        const { lastClosed } = await cutOff(bench, authority, 1, () => authority.type(...AS_TYPED[cut]));
        if (cut === "lock") await unlock(authority);
        add(`${cut}.typed`, NIAC, lastClosed);
      }
    });
  }
  for (const count of sessions) {
    const cuts = CUT_NAMES.filter((cut) => wants(`${cut}.sessions${count}.`));
    const what = `${cuts.join(" and ")} with ${count} open`;
    if (cuts.length === 0 || !inTime(what)) continue;
    if (count + OTHER_FILES > filesAllowed()) {
      progress(`trust: left out: ${what}, for a process may open ${filesAllowed()} files here (ulimit -Hn)`);
      continue;
    }
    await inRounds(what, rounds, async () => {
      for (const cut of cuts) {
        const values = await cutOff(bench, authority, count, () => BY_CALL[cut](authority));
        if (cut === "lock") await unlock(authority);
        for (const [name, value] of Object.entries(values))
          add(`${cut}.sessions${count}.${name}`, NIAC, value);
      }
    });
  }
}

const BY_CALL: Readonly<Record<Cut, (authority: Authority) => Promise<unknown>>> = {
  revoke: (authority) =>
    authority.ask(authorityRevoke, { what: "user", value: CUT_OFF, reason: REASON, by: "bench" }),
  lock: (authority) =>
    authority.ask(locksAdd, { kind: "user", value: CUT_OFF, reason: REASON, by: "bench", until: null }),
};

const AS_TYPED: Readonly<Record<Cut, readonly string[]>> = {
  revoke: ["authority", "revoke", "--user", CUT_OFF, "--reason", REASON],
  lock: ["lock", "user", CUT_OFF, "--reason", REASON],
};

async function unlock(authority: Authority): Promise<void> {
  await authority.ask(locksRemove, { which: { kind: "user", value: CUT_OFF }, reason: "", by: "bench" });
}

/**
 * Milliseconds: two from the command on, the slowest read, and the CPU that the clients took themselves, who share a core. Where that is not
 * much less than `lastClosed`, it is theirs.
 */
interface CutTimes {
  readonly lastClosed: number;
  readonly answered: number;
  readonly clientCpu: number;
  readonly other: number;
}

async function cutOff(
  bench: TrustBench,
  authority: Authority,
  count: number,
  cut: () => Promise<unknown>,
): Promise<CutTimes> {
  const { port, own, ca } = await authority.credentialsFor(CUT_OFF);
  const target = targetOf(NIAC, port, { own, ca });
  const sessions: Session[] = [];
  try {
    while (sessions.length < count) {
      sessions.push(...(await openSessions(target, Math.min(OPENED_AT_ONCE, count - sessions.length))));
    }
    const reading = await Other.start(bench, authority);
    await sleep(CALM);
    const closed = allClosed(sessions);
    const cpu = process.cpuUsage();
    const begin = performance.now();
    const [answeredAt, lastAt] = await Promise.all([cut().then(() => performance.now()), closed]);
    const { user, system } = process.cpuUsage(cpu);
    return {
      lastClosed: lastAt - begin,
      answered: answeredAt - begin,
      clientCpu: (user + system) / 1_000,
      other: await reading.stop(),
    };
  } finally {
    await closeSessions(sessions);
  }
}

/** When the last one was. */
function allClosed(sessions: readonly Session[]): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let open = sessions.length;
  const late = setTimeout(
    () =>
      reject(new Error(`${open} of ${sessions.length} sessions are still open after ${PATIENCE / 1_000} s`)),
    PATIENCE,
  );
  for (const session of sessions) {
    let known = true;
    // A socket that is reset has an error first and is closed after it.
    const gone = (): void => {
      if (!known) return;
      known = false;
      open -= 1;
      if (open === 0) resolve(performance.now());
    };
    session.use("read", () => undefined, gone);
  }
  return promise.finally(() => clearTimeout(late));
}

/** Another person's session that reads without a pause, in a process of its own: what a client does at its end is not niac's. */
class Other {
  readonly #process: PinnedProcess;
  readonly #output: Promise<string>;

  private constructor(process: PinnedProcess) {
    this.#process = process;
    this.#output = process.output();
    this.#output.catch(() => undefined);
  }

  /** Resolves when it reads. */
  static async start({ stage, cleanup }: TrustBench, authority: Authority): Promise<Other> {
    const dir = stage.newDir();
    const { port, own, ca } = await authority.credentialsFor(OTHER);
    const files = Object.entries({ ...own, ca }).map(([name, text]) => {
      const file = join(dir, name);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    });
    const command = [process.execPath, SCRIPT, String(port), ...files];
    const child = new PinnedProcess("another session", stage.loadCore, command, join(dir, "log"));
    cleanup.add(() => child.kill());
    const other = new Other(child);
    await child.firstLine();
    return other;
  }

  /** Milliseconds of the slowest read; rejects where the session did not live through it. */
  async stop(): Promise<number> {
    await this.#process.stop();
    return Number((await this.#output).trim().split("\n").at(-1));
  }
}
