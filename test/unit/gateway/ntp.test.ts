import test from "ava";
import { NTP_PER_SECOND, startNtp, type NtpOptions } from "../../../src/gateway/ntp.ts";
import { until } from "../../support/processes.ts";
import { ntpQuery, ntpServer, unixTime, Waits } from "./ntp-servers.ts";
import { responderBed, snapshotWith, udpClient, type Bed } from "./responder-bed.ts";

const SERVER = "127.0.0.2";
const HOURS = 3_600_000;
/** However long this computer takes: a server's answer counts for a second, and has a second to come. */
const STILL = { now: () => Date.now(), monotonic: () => 5_000 };
const MARK = Buffer.from("1122334455667788", "hex");

function patient(bed: Bed, serverPort: number, { after } = new Waits()): NtpOptions {
  return { ...bed.options, clock: STILL, serverPort, after };
}

test("a machine gets its server's time, hours off or not, for its own transmit time", async (t) => {
  for (const off of [0, 5 * HOURS, -30 * 365 * 24 * HOURS]) {
    const server = await ntpServer(t, SERVER, 0, () => ({ off, rootDelay: 0x80 }));
    const bed = responderBed(snapshotWith([], [SERVER]));
    const ntp = await startNtp(patient(bed, server.port));
    t.teardown(() => ntp.close());
    const client = await udpClient(t, ntp.port);
    client.send(ntpQuery(MARK, 0x1b, 9));
    const answer = await client.next();
    t.is(answer.length, 48);
    t.is(answer.toString("hex", 0, 3), "1c0309", "version 3 as asked, stratum 3, the machine's poll");
    t.is(answer.toString("hex", 12, 16), "7f000002");
    t.is(answer.toString("hex", 24, 32), "1122334455667788");
    t.true(Math.abs(unixTime(answer, 40) - (Date.now() + off)) < 60_000);
    t.true(unixTime(answer, 32) <= unixTime(answer, 40));
    t.not(
      server.queries[0]?.toString("hex", 40),
      "1122334455667788",
      "the machine's own packet does not go on",
    );
    t.deepEqual(bed.drafts, []);
  }
});

test("longer packets, older versions and Windows' symmetric mode are answered; other modes are refused and on record", async (t) => {
  const server = await ntpServer(t, SERVER, 0, () => ({}));
  const bed = responderBed(snapshotWith([], [SERVER]));
  const ntp = await startNtp(patient(bed, server.port));
  t.teardown(() => ntp.close());
  const client = await udpClient(t, ntp.port);
  const bitsOf = async (query: Buffer): Promise<number> => {
    client.send(query);
    const answer = await client.next();
    t.is(answer.length, 48);
    return answer[0] ?? 0;
  };
  t.is(await bitsOf(Buffer.concat([ntpQuery(MARK), Buffer.alloc(20, 1)])), 0x24);
  t.is(await bitsOf(ntpQuery(MARK, 0x0b)), 0x0c);
  t.is(await bitsOf(ntpQuery(MARK, 0xd9)), 0x1a);
  for (const bits of [0x16, 0x17, 0x24, 0x25, 0x03, 0x2b]) client.send(ntpQuery(MARK, bits));
  client.send(Buffer.alloc(12, 0x16));
  await until(() => bed.drafts.length === 7, "seven refusals to be recorded");
  t.deepEqual(
    bed.drafts.map(({ kind, stage, machine }) => [kind, stage, machine]),
    [...Array.from({ length: 6 }, () => ["flow.refused", "ntp", "press-4"]), ["malformed", "ntp", "press-4"]],
  );
  t.regex(bed.drafts[0]?.reason ?? "", /^press-4 sent NTP version 2 of mode 6; /);
  t.is(server.queries.length, 1);
});

test("without time servers nothing is answered, and what was asked is on record", async (t) => {
  const bed = responderBed(snapshotWith([]));
  const ntp = await startNtp(bed.options);
  t.teardown(() => ntp.close());
  const client = await udpClient(t, ntp.port);
  client.send(ntpQuery(MARK));
  await until(() => bed.drafts.length === 1, "the refusal to be recorded");
  t.is(bed.drafts[0]?.reason, "press-4 asked for the time; the site document names no time servers");
});

test("servers that cannot be reached are one record, and another when they can", async (t) => {
  let silent = true;
  const waits = new Waits();
  const server = await ntpServer(t, SERVER, 0, () => {
    if (!silent) return {};
    waits.over();
    return null;
  });
  const bed = responderBed(snapshotWith([], [SERVER]));
  const ntp = await startNtp(patient(bed, server.port, waits));
  t.teardown(() => ntp.close());
  const client = await udpClient(t, ntp.port);
  client.send(ntpQuery(MARK));
  await until(() => bed.drafts.length === 1, "the outage to be recorded");
  t.like(bed.drafts[0], { kind: "process" });
  silent = false;
  client.send(ntpQuery(MARK));
  t.is((await client.next()).length, 48);
  t.regex(bed.drafts[1]?.reason ?? "", /answered again, from 127\.0\.0\.2$/);
  t.is(bed.drafts.length, 2);
});

test("a machine's flood ends at its limit", async (t) => {
  const server = await ntpServer(t, SERVER, 0, () => ({}));
  const bed = responderBed(snapshotWith([], [SERVER]));
  const ntp = await startNtp(patient(bed, server.port));
  t.teardown(() => ntp.close());
  const client = await udpClient(t, ntp.port);
  for (let i = 0; i < NTP_PER_SECOND; i++) {
    client.send(ntpQuery(MARK));
    await client.next();
  }
  client.send(ntpQuery(MARK));
  await until(() => bed.drafts.length === 1, "the flood to be recorded");
  t.regex(bed.drafts[0]?.reason ?? "", /^press-4 sent more than 10 NTP queries in a second/);
  t.is(server.queries.length, 1);
});

test("closed while a server is being asked, it drops the answer, and another can take its place", async (t) => {
  const closing: Array<Promise<void>> = [];
  const server = await ntpServer(t, SERVER, 0, () => {
    if (closing.length === 0) closing.push(first.close());
    return {};
  });
  const bed = responderBed(snapshotWith([], [SERVER]));
  const first = await startNtp(patient(bed, server.port));
  const { port } = first;
  const client = await udpClient(t, port);
  client.send(ntpQuery(MARK));
  await until(() => closing.length > 0, "the server to be asked");
  await Promise.all(closing);
  const second = await startNtp({ ...patient(bed, server.port), port });
  t.teardown(() => second.close());
  client.send(ntpQuery(Buffer.alloc(8, 7)));
  t.is(
    (await client.next()).toString("hex", 24, 32),
    "0707070707070707",
    "the first answer to come is the second's",
  );
});
