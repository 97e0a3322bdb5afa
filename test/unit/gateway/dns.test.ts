import test from "ava";
import { DNS_PER_SECOND, startDns } from "../../../src/gateway/dns.ts";
import { until } from "../../support/processes.ts";
import { opt, query } from "./dns-queries.ts";
import { destination, responderBed, snapshotWith, udpClient } from "./responder-bed.ts";

const ALLOWED = [destination("historian", ["press-4"], ["www.example"], "10.1.0.5")];

test("over the network: an address, a refusal on record, and a changed snapshot at once", async (t) => {
  const bed = responderBed(snapshotWith(ALLOWED));
  const dns = await startDns(bed.options);
  t.teardown(() => dns.close());
  const client = await udpClient(t, dns.port);
  client.send(query({ id: 1 }));
  t.is((await client.next()).subarray(-4).join("."), "10.1.0.5");
  t.deepEqual(bed.drafts, []);

  client.send(query({ id: 2, labels: ["evil", "example"], type: 28 }));
  t.is((await client.next()).toString("hex", 0, 4), "00028585");
  t.like(bed.drafts[0], {
    kind: "flow.refused",
    stage: "dns",
    machine: "press-4",
    decision: "denial",
    siteVersion: 7,
    detail: { dns: "evil.example", type: 28 },
  });
  t.regex(bed.drafts[0]?.source ?? "", /^127\.0\.0\.1:\d+$/);

  bed.use(snapshotWith([destination("other", ["press-4"], ["www.example"], "10.1.0.6")]));
  client.send(query({ id: 3 }));
  t.is((await client.next()).subarray(-4).join("."), "10.1.0.6");
  bed.use(snapshotWith([]));
  client.send(query({ id: 4 }));
  t.is((await client.next()).toString("hex", 0, 4), "00048585");
});

test("what is malformed is answered as that and recorded with its bytes; answers and runts get nothing", async (t) => {
  const bed = responderBed(snapshotWith(ALLOWED));
  const dns = await startDns(bed.options);
  t.teardown(() => dns.close());
  const client = await udpClient(t, dns.port);
  client.send(query({ flags: 0x8180 }));
  client.send(Buffer.from("runt"));
  client.send(query({ id: 5, counts: [1, 1, 0, 0] }));
  t.is((await client.next()).toString("hex"), "000585810000000000000000");
  t.deepEqual(
    bed.drafts.map(({ kind, bytes }) => [kind, bytes?.slice(0, 8)]),
    [
      ["malformed", "12348180"],
      ["malformed", "00050100"],
    ],
  );
  client.send(query({ id: 6, flags: 0x2800 }));
  t.is((await client.next()).toString("hex"), "0006ac840000000000000000");
  t.regex(bed.drafts[2]?.reason ?? "", /^press-4 asked DNS for operation 5 \(update\)/);
  client.send(query({ id: 7, rest: opt(1) }));
  t.is((await client.next()).toString("hex", 0, 4), "00078580");
  t.is(bed.drafts.length, 3);
});

test("whoever is no machine gets no answer and is on record", async (t) => {
  const bed = responderBed(snapshotWith(ALLOWED));
  const dns = await startDns(bed.options);
  t.teardown(() => dns.close());
  const stranger = await udpClient(t, dns.port, "127.0.0.77");
  stranger.send(query());
  await until(() => bed.drafts.length === 1, "the refusal to be recorded");
  t.like(bed.drafts[0], { kind: "flow.refused", stage: "dns", decision: "denial" });
  t.is(bed.drafts[0]?.machine, undefined);
  t.regex(bed.drafts[0]?.reason ?? "", /^127\.0\.0\.77 asked the appliance's DNS/);
  let answered = false;
  void stranger.next().then(() => (answered = true));
  const client = await udpClient(t, dns.port);
  client.send(query());
  await client.next();
  t.false(answered);
});

test("one machine's flood ends at its limit and leaves another machine its answers", async (t) => {
  const bed = responderBed(
    snapshotWith([...ALLOWED, destination("b", ["saw-1"], ["www.example"], "10.1.0.7")]),
  );
  // Still, so that all of it happens within one second.
  const clock = { now: () => 1_000, monotonic: () => 5_000 };
  const dns = await startDns({ ...bed.options, clock });
  t.teardown(() => dns.close());
  const client = await udpClient(t, dns.port);
  for (let i = 0; i < DNS_PER_SECOND; i++) {
    client.send(query({ id: i }));
    await client.next();
  }
  client.send(query());
  await until(() => bed.drafts.length > 0, "the flood to be recorded");
  t.regex(bed.drafts[0]?.reason ?? "", /^press-4 sent more than 200 DNS queries in a second/);
  const other = await udpClient(t, dns.port, "127.0.0.9");
  other.send(query());
  t.is((await other.next()).subarray(-4).join("."), "10.1.0.7");
});

test("an address that is not ours, or is taken, is an error that says so", async (t) => {
  const bed = responderBed(snapshotWith([]));
  const dns = await startDns(bed.options);
  t.teardown(() => dns.close());
  await t.throwsAsync(startDns({ ...bed.options, port: dns.port }), {
    code: "listen",
    message: /EADDRINUSE/,
  });
  await t.throwsAsync(startDns({ ...bed.options, address: "192.0.2.1" }), {
    code: "listen",
    message: /EADDRNOTAVAIL/,
  });
});

test("closing hands over what was not recorded yet", async (t) => {
  const bed = responderBed(snapshotWith([]));
  const dns = await startDns(bed.options);
  const client = await udpClient(t, dns.port);
  for (let i = 0; i < 3; i++) {
    client.send(query());
    await client.next();
  }
  t.is(bed.drafts.length, 1);
  await dns.close();
  t.deepEqual(bed.drafts[1]?.counts, { queries: 2 });
});
