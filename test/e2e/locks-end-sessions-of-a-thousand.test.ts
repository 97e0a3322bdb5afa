import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";
import type { Credential } from "../support/pki.ts";

const SESSIONS = 1_000;
const USERS = 10;
/** Handshakes under way at once. */
const ABREAST = 40;

testWith("pymodbus")(
  "with 1,000 sessions open a lock ends exactly those it covers before its command returns, and nobody else notices",
  async (t) => {
    t.timeout(300_000);
    const machine = await PymodbusMachine.start(t);
    const limits = "connections: 1200, connectionsPerSource: 1200, handshakeTimeout: 60s";
    const bed = await Appliance.start(t, {
      site: pressSite(machine.port, { limits, service: "requestTimeout: 20s" }),
    });
    const users = Array.from({ length: USERS }, (_, i) => `user-${i}`);
    const credentials = new Map(
      users.map((cn) => [cn, bed.root.client({ cn, ou: ["maintenance"] })] as const),
    );
    const clients = new Map<string, ModbusClient[]>();
    for (let made = 0; made < SESSIONS; made += ABREAST) {
      const batch = Array.from({ length: Math.min(ABREAST, SESSIONS - made) }, async (_, i) => {
        const user = users[(made + i) % USERS] ?? "";
        const credential: Credential | null = credentials.get(user) ?? null;
        const client = await ModbusClient.connect(bed, { credential });
        t.is((await client.read(10)).exception, 0);
        return { user, client };
      });
      for (const { user, client } of await Promise.all(batch))
        clients.set(user, [...(clients.get(user) ?? []), client]);
    }
    const covered = clients.get("user-3") ?? [];
    const others = users.filter((user) => user !== "user-3").flatMap((user) => clients.get(user) ?? []);
    t.is(covered.length + others.length, SESSIONS);

    const traffic = { reading: true };
    let answered = 0;
    const readers = others.slice(0, 20).map(async (client) => {
      while (traffic.reading) {
        const { exception, values } = await client.read(10);
        if (exception !== 0 || values[0] !== 10) throw new Error(`exception ${exception}, ${values.join()}`);
        answered++;
      }
    });
    const lock = await bed.niac("lock", "user", "user-3", "--reason", "left the company");
    const after = answered;
    t.is(lock.code, 0, lock.err);
    t.regex(
      lock.out,
      new RegExp(`lock 1 on user user-3\\nin force; ended ${covered.length} sessions in \\d+ ms`),
    );
    t.log(lock.out.split("\n")[1]);
    await bed.until(() => covered.every(({ ended }) => ended), "the covered sessions to be closed here, too");
    await bed.until(() => answered > after + 100, "the others' transactions to go on");
    traffic.reading = false;
    await Promise.all(readers);
    t.true(others.every(({ ended }) => !ended));
    for (const client of others) t.deepEqual(await client.read(11), { exception: 0, values: [11] });

    const ends = await bed.recorded(covered.length, "kind=session.end");
    t.is(ends.length, covered.length);
    for (const end of ends) t.like(end, { decision: "denial", stage: "lock", identity: { user: "user-3" } });
    t.regex(ends[0]?.reason ?? "", /user user-3 is locked \(lock 1\): left the company/);
    const [locked] = await bed.recorded(1, "kind=trust");
    t.like(locked, {
      counts: { ended: covered.length },
      detail: { action: "lock", lock: "1", of: "user", value: "user-3", why: "left the company" },
    });
    const again = await ModbusClient.connect(bed, { credential: credentials.get("user-3") ?? null });
    t.is((await again.read(10)).exception, 1);
    t.like((await bed.recorded(1, "kind=session.refused", "stage=lock"))[0], {
      identity: { user: "user-3" },
    });
  },
);
