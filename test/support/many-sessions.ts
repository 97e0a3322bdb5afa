/** Many sessions of some users with one machine, and a lock on one of the users while others work. */
import type { ExecutionContext } from "ava";
import type { AuditRecord } from "../../src/audit/index.ts";
import { Appliance } from "./appliance.ts";
import { ModbusClient } from "./modbus-client.ts";
import type { Credential } from "./pki.ts";
import { pressSite } from "./sites.ts";
import { PymodbusMachine } from "./tools.ts";

const USERS = 10;
/** Handshakes under way at once. */
const ABREAST = 40;
/** Of those that are not locked, how many read without a pause. */
const READERS = 20;

export class ManySessions {
  readonly #t: ExecutionContext;
  readonly bed: Appliance;
  readonly #credentials: ReadonlyMap<string, Credential>;
  readonly #clients = new Map<string, ModbusClient[]>();
  readonly #each: number;

  private constructor(
    t: ExecutionContext,
    bed: Appliance,
    credentials: ReadonlyMap<string, Credential>,
    each: number,
  ) {
    this.#t = t;
    this.bed = bed;
    this.#credentials = credentials;
    this.#each = each;
  }

  /** `sessions` of ten users, each with as many. */
  static async start(t: ExecutionContext, sessions: number): Promise<ManySessions> {
    const machine = await PymodbusMachine.start(t);
    const room = Math.ceil(sessions * 1.2);
    const limits = `connections: ${room}, connectionsPerSource: ${room}, handshakeTimeout: 60s, idleTimeout: 24h`;
    const bed = await Appliance.start(t, {
      site: pressSite(machine.port, { limits, service: "requestTimeout: 20s" }),
    });
    const users = Array.from({ length: USERS }, (_, i) => `user-${i}`);
    const credentials = new Map(
      users.map((cn) => [cn, bed.root.client({ cn, ou: ["maintenance"] })] as const),
    );
    const many = new ManySessions(t, bed, credentials, sessions / USERS);
    for (const user of users) await many.open(user);
    return many;
  }

  get users(): readonly string[] {
    return [...this.#credentials.keys()];
  }

  get size(): number {
    return this.#each * USERS;
  }

  /** All sessions of a user, each of which has read once. */
  async open(user: string): Promise<void> {
    const opened: ModbusClient[] = [];
    while (opened.length < this.#each) {
      const batch = Array.from({ length: Math.min(ABREAST, this.#each - opened.length) }, async () => {
        const client = await this.connect(user);
        this.#t.is((await client.read(10)).exception, 0);
        return client;
      });
      opened.push(...(await Promise.all(batch)));
    }
    this.#clients.set(user, opened);
  }

  connect(user: string): Promise<ModbusClient> {
    return ModbusClient.connect(this.bed, { credential: this.#credentials.get(user) ?? null });
  }

  /** Locks a user: exactly that user's sessions end before the command returns, and nobody else notices. Returns the lock's number. */
  async lock(user: string, reason: string): Promise<string> {
    const [t, bed] = [this.#t, this.bed];
    const covered = this.#clients.get(user) ?? [];
    const others = this.users.filter((one) => one !== user).flatMap((one) => this.#clients.get(one) ?? []);
    t.is(covered.length + others.length, this.size);
    const traffic = { reading: true };
    let answered = 0;
    const readers = others.slice(0, READERS).map(async (client) => {
      while (traffic.reading) {
        const { exception, values } = await client.read(10);
        if (exception !== 0 || values[0] !== 10) throw new Error(`exception ${exception}, ${values.join()}`);
        answered++;
      }
    });
    const lock = await bed.niac("lock", "user", user, "--reason", reason);
    const after = answered;
    t.is(lock.code, 0, lock.err);
    const said = new RegExp(
      `^lock (\\d+) on user ${user}\nin force; ended ${covered.length} sessions in \\d+ ms`,
    );
    t.regex(lock.out, said);
    t.log(lock.out.split("\n")[1]);
    await bed.until(() => covered.every(({ ended }) => ended), "the covered sessions to be closed here, too");
    await bed.until(() => answered > after + 100, "the others' transactions to go on");
    traffic.reading = false;
    await Promise.all(readers);
    t.true(others.every(({ ended }) => !ended));
    for (const client of others) t.deepEqual(await client.read(11), { exception: 0, values: [11] });
    return said.exec(lock.out)?.[1] ?? "";
  }

  /** Checks what is on record of a lock that ended all sessions of a user; the user gets no new one. */
  async recorded(user: string, lock: string, reason: string): Promise<void> {
    const [t, bed] = [this.#t, this.bed];
    let own: AuditRecord[] = [];
    await bed.until(async () => {
      const ends = await bed.records("kind=session.end", `user=${user}`, "stage=lock");
      own = ends.filter((end) => end.reason?.includes(`(lock ${lock})`));
      return own.length >= this.#each;
    }, `${this.#each} records of sessions that lock ${lock} ended`);
    t.is(own.length, this.#each);
    for (const end of own) t.like(end, { decision: "denial", identity: { user } });
    t.true(own[0]?.reason?.includes(`user ${user} is locked (lock ${lock}): ${reason}`), own[0]?.reason);
    const locked = (await bed.recorded(1, "kind=trust")).find(({ detail }) => detail?.["lock"] === lock);
    t.like(locked, {
      counts: { ended: this.#each },
      detail: { action: "lock", lock, of: "user", value: user, why: reason },
    });
    const again = await this.connect(user);
    t.is((await again.read(10)).exception, 1);
    const refused = await bed.recorded(1, "kind=session.refused", "stage=lock", `user=${user}`);
    t.like(refused[0], { identity: { user } });
  }
}
