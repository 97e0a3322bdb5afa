import test from "ava";
import { TimeSource } from "../../../src/gateway/ntp-source.ts";
import { ntpServer, Waits, type ServerSays } from "./ntp-servers.ts";

/** Packets are real; time passes as a test says, in milliseconds. */
class Ahead {
  by = 0;
  /** Called when the time is looked at, as it is for every packet that comes. */
  looked: () => void = () => {};
  readonly #start = performance.now();
  now(): number {
    return Date.now() + this.by;
  }
  monotonic(): number {
    this.looked();
    return this.#start + this.by;
  }
}

function source(port: number): { clock: Ahead; said: string[]; times: TimeSource; waits: Waits } {
  const [clock, waits] = [new Ahead(), new Waits()];
  const said: string[] = [];
  const times = new TimeSource(clock, port, (reason) => said.push(reason), waits.after);
  return { clock, said, times, waits };
}

/** What the server says; where that is nothing, its time for a reply is over. */
function orOver(says: ServerSays | null, waits: Waits): ServerSays | null {
  if (says === null) waits.over();
  return says;
}

const [FIRST, SECOND] = ["127.0.0.2", "127.0.0.3"];

test("servers are asked in order; many machines at once are one query, and so is a second of them", async (t) => {
  const first = await ntpServer(t, FIRST, 0, () => ({}));
  const second = await ntpServer(t, SECOND, first.port, () => ({}));
  const { clock, times, said } = source(first.port);
  const servers = [FIRST, SECOND];
  const views = await Promise.all([times.view(servers), times.view(servers), times.view(servers)]);
  t.true(views.every((view) => view === views[0] && view !== null));
  t.is(views[0]?.server, 0x7f000002);
  t.is(await times.view(servers), views[0]);
  t.deepEqual([first.queries.length, second.queries.length], [1, 0]);
  clock.by = 1_001;
  t.not(await times.view(servers), views[0]);
  t.is(first.queries.length, 2);
  const [one, two] = first.queries;
  t.is(one?.toString("hex", 0, 40), `23${"00".repeat(39)}`, "nothing but that it is a query");
  t.not(one?.toString("hex", 40), two?.toString("hex", 40), "each with a number of its own");
  t.deepEqual(said, []);
});

test("a silent server is passed over, and asked last for a while", async (t) => {
  let says: ServerSays | null = null;
  const first = await ntpServer(t, FIRST, 0, () => orOver(says, waits));
  const second = await ntpServer(t, SECOND, first.port, () => ({}));
  const { clock, times, said, waits } = source(first.port);
  const servers = [FIRST, SECOND];
  t.is((await times.view(servers))?.server, 0x7f000003);
  says = {};
  clock.by = 2_000;
  t.is((await times.view(servers))?.server, 0x7f000003);
  t.is(first.queries.length, 1);
  clock.by = 32_000;
  t.is((await times.view(servers))?.server, 0x7f000002);
  t.is(second.queries.length, 2);
  t.deepEqual(said, []);
});

test("no server at all is said once, and once that it is over", async (t) => {
  let says: ServerSays | null = null;
  const first = await ntpServer(t, FIRST, 0, () => orOver(says, waits));
  const { clock, times, said, waits } = source(first.port);
  const servers = [FIRST];
  t.is(await times.view(servers), null);
  t.is(await times.view(servers), null);
  t.is(said.length, 1);
  t.regex(
    said[0] ?? "",
    /^machines' NTP queries stay without an answer: time server 127\.0\.0\.2 gave no answer: none came within 1000 ms/,
  );
  says = {};
  clock.by = 100;
  t.truthy(await times.view(servers), "an only server is asked again at once");
  t.is(said[1], "machines' NTP queries are answered again, from 127.0.0.2");
  t.is(said.length, 2);
});

test("a port where nobody listens is not waited for", async (t) => {
  const gone = await ntpServer(t, SECOND, 0, () => null);
  const { times, said } = source(gone.port);
  t.is(await times.view([FIRST]), null);
  t.regex(said[0] ?? "", /ECONNREFUSED/);
});

test("a server that asks for less is left alone, longer each time; one that says go, for an hour", async (t) => {
  let says: ServerSays = { stratum: 0, reference: "RATE" };
  const first = await ntpServer(t, FIRST, 0, () => says);
  const { clock, times, said } = source(first.port);
  const servers = [FIRST];
  t.is(await times.view(servers), null);
  t.regex(
    said[0] ?? "",
    /^time server 127\.0\.0\.2 does not want to be asked \(RATE\) and is left alone for 64 s$/,
  );
  clock.by = 63_000;
  t.is(await times.view(servers), null);
  t.is(first.queries.length, 1);
  clock.by = 65_000;
  t.is(await times.view(servers), null);
  t.regex(said.at(-1) ?? "", /left alone for 128 s$/);
  says = {};
  clock.by = 200_000;
  t.truthy(await times.view(servers));
  says = { stratum: 0, reference: "DENY" };
  clock.by = 202_000;
  t.is(await times.view(servers), null);
  t.true(said.some((reason) => reason.endsWith("(DENY) and is left alone for 3600 s")));
  const asked = first.queries.length;
  clock.by += 3_500_000;
  t.is(await times.view(servers), null);
  t.is(first.queries.length, asked);
});

test("an unsynchronised server is the last resort, and still one", async (t) => {
  const first = await ntpServer(t, FIRST, 0, () => ({ bits: 0xe4 }));
  let says: ServerSays | null = {};
  const second = await ntpServer(t, SECOND, first.port, () => orOver(says, waits));
  const { clock, times, waits } = source(first.port);
  const servers = [FIRST, SECOND];
  t.is((await times.view(servers))?.server, 0x7f000003);
  says = null;
  clock.by = 2_000;
  const view = await times.view(servers);
  t.like(view, { server: 0x7f000002, synchronised: false });
  t.is(second.queries.length, 2);
});

/** Another transmit time than the query's. */
const forge = (reply: Buffer): number => reply.writeUInt8(1, 24);

test("a forged reply is passed over for the real one, and named where that does not come", async (t) => {
  let real = true;
  const first = await ntpServer(t, FIRST, 0, () => ({ change: forge, ...(real ? { next: {} } : {}) }));
  const { clock, times, said, waits } = source(first.port);
  const servers = [FIRST];
  t.is((await times.view(servers))?.server, 0x7f000002);
  real = false;
  clock.by = 2_000;
  // Looked at when the query goes out, and again when the forged reply comes.
  let looks = 0;
  const before = first.queries.length;
  clock.looked = () => {
    if (first.queries.length > before && looks++ === 0) setImmediate(() => waits.over());
  };
  t.is(await times.view(servers), null);
  t.regex(said[0] ?? "", /it does not repeat the query's transmit time/);
});

test("other servers of a changed site document are asked at once, and the old ones' silence forgotten", async (t) => {
  const first = await ntpServer(t, FIRST, 0, () => ({}));
  await ntpServer(t, SECOND, first.port, () => ({}));
  const { times } = source(first.port);
  t.is((await times.view([FIRST]))?.server, 0x7f000002);
  t.is((await times.view([SECOND]))?.server, 0x7f000003);
});
