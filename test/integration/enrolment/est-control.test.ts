/** The place where laptops enrol, as control opens it, and the commands about it. */
import { createServer, type Server } from "node:net";
import { request } from "node:https";
import test, { type ExecutionContext } from "ava";
import { makeName, makeRequest, generateKey, readCertsOnly } from "../../../src/x509/index.ts";
import { Appliance } from "../../support/appliance.ts";
import { freePort } from "../../support/ports.ts";
import { NO_FILES } from "../../support/authority-bed.ts";
import { basic } from "../../support/est-bed.ts";
import { until } from "../../support/processes.ts";

interface Bed {
  readonly appliance: Appliance;
  readonly port: number;
}

async function control(t: ExecutionContext): Promise<Bed> {
  const port = await freePort();
  const environment = { ...NO_FILES, NIAC_LISTEN_ENROLL: `127.0.0.1:${port}` };
  const appliance = await Appliance.prepare(t, { site: null, environment });
  return { appliance, port };
}

interface Got {
  readonly status: number;
  readonly text: string;
}

function headersOf(authorization: string | null): Record<string, string> {
  const type = { "Content-Type": "application/pkcs10" };
  return authorization === null ? type : { ...type, Authorization: authorization };
}

/** Of the listener as whoever trusts `ca` sees it. */
function send(
  port: number,
  ca: string,
  path: string,
  post?: { readonly body: string; readonly authorization: string | null },
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const headers = post === undefined ? {} : headersOf(post.authorization);
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method: post === undefined ? "GET" : "POST",
        ca,
        agent: false,
        headers,
      },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (more: string) => (text += more));
        incoming.once("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
      },
    );
    outgoing.once("error", reject);
    outgoing.end(post?.body);
  });
}

function holds(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

test("it opens as soon as there is an authority, is there again after a restart, and codes outlive that", async (t) => {
  const { appliance, port } = await control(t);
  await appliance.run("control");
  const early = await appliance.niac("enrolment", "code", "--user", "alice", "--device", "laptop-7");
  t.not(early.code, 0);
  t.regex(early.err, /no authority of its own yet\nMake one: niac authority init/);
  await t.throwsAsync(send(port, "", "/"), { code: "ECONNREFUSED" });

  t.is((await appliance.niac("authority", "init", "Plant 7")).code, 0);
  await appliance.logged("laptops can enrol");
  const trust = (await appliance.niac("authority", "trust")).out;
  t.regex((await send(port, trust, "/")).text, /niac enroll https:/);

  const made = await appliance.niac(
    "enrolment",
    "code",
    "--user",
    "alice",
    "--device",
    "laptop-7",
    "--group",
    "line 4",
  );
  t.regex(made.out, /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\n$/, "the code alone, so that a script can take it");
  t.regex(made.err, /For alice on laptop-7 \(managed\), once, until/);
  t.regex((await appliance.niac("enrolment", "codes")).out, /alice +laptop-7 +managed +line 4/);

  await appliance.stop();
  const seen = appliance.log.length;
  await appliance.run("control");
  await appliance.logged("laptops can enrol", seen);
  const keys = await generateKey("p256");
  const body = makeRequest({ subject: makeName([["CN", "alice"]]) }, keys).toString("base64");
  const post = { body, authorization: basic("alice", made.out.trim()) };
  const got = await send(port, trust, "/.well-known/est/simpleenroll", post);
  t.is(got.status, 200, got.text);
  t.is(readCertsOnly(Buffer.from(got.text, "base64")).length, 1);
  t.regex((await appliance.niac("enrolment", "codes")).out, /No codes are open/);
});

test("a port that is taken is told, on record, stops nothing else, and is had once it is free", async (t) => {
  const { appliance, port } = await control(t);
  const holder = await holds(port);
  await appliance.run("control");
  t.is((await appliance.niac("authority", "init", "Plant 7")).code, 0);
  await appliance.logged("laptops cannot enrol");
  t.is((await appliance.niac("status")).code, 0);
  const made = await appliance.niac("enrolment", "code", "--user", "alice", "--device", "laptop-7");
  t.is(made.code, 0, made.err);
  const records = await appliance.niac("audit", "tail");
  t.regex(
    records.out,
    new RegExp(`laptops cannot enrol: 127\\.0\\.0\\.1:${port} cannot be listened on \\(EADDRINUSE\\)`),
  );
  await new Promise((resolve) => holder.close(resolve));
  await appliance.logged("laptops can enrol");
  const trust = (await appliance.niac("authority", "trust")).out;
  t.is((await send(port, trust, "/.well-known/est/cacerts")).status, 200);
});

test("a request that waits is listed, approved for the right person only, and denied with a reason", async (t) => {
  const { appliance, port } = await control(t);
  await appliance.run("control");
  t.is((await appliance.niac("authority", "init", "Plant 7")).code, 0);
  await appliance.logged("laptops can enrol");
  const trust = (await appliance.niac("authority", "trust")).out;
  const ask = async (user: string): Promise<() => Promise<Got>> => {
    const keys = await generateKey("p256");
    const body = makeRequest({ subject: makeName([["CN", user]]) }, keys).toString("base64");
    const post = { body, authorization: null };
    return () => send(port, trust, "/.well-known/est/byod/simpleenroll", post);
  };
  const poll = await ask("alice");
  t.is((await poll()).status, 202);
  const list = await appliance.niac("enrolment", "requests");
  const [, id = "", words] = /^([0-9a-f]{8}) +(\S+) +CN=alice +none +byod/m.exec(list.out) ?? [];
  t.regex(words ?? "", /^([a-z]{5}-){4}[a-z]{5}$/);
  const wrong = await appliance.niac(
    "enrolment",
    "approve",
    id,
    "--user",
    "bob",
    "--device",
    "x",
    "--tier",
    "byod",
  );
  t.not(wrong.code, 0);
  t.regex(wrong.err, /the request is another's/);
  t.is((await poll()).status, 202);
  const device = ["--device", "laptop-7", "--tier", "byod"];
  const right = await appliance.niac("enrolment", "approve", id, "--user", "alice", ...device);
  t.regex(right.out, /^alice has a certificate until \d{4}-\d\d-\d\d/);
  t.is((await poll()).status, 200);
  const other = await ask("eve");
  await other();
  const [, second = ""] = /^([0-9a-f]{8}) /m.exec((await appliance.niac("enrolment", "requests")).out) ?? [];
  t.is((await appliance.niac("enrolment", "deny", second, "--reason", "nobody knows her")).code, 0);
  t.regex((await other()).text, /nobody knows her/);
  t.is(
    (await appliance.niac("enrolment", "waiting", "off")).out,
    "Requests without credentials are refused.\n",
  );
  t.is((await (await ask("eve"))()).status, 401);
});

test("a lock on a user keeps him from enrolling; the record says who let whom in", async (t) => {
  const { appliance, port } = await control(t);
  await appliance.run("control");
  t.is((await appliance.niac("authority", "init", "Plant 7")).code, 0);
  await appliance.logged("laptops can enrol");
  const trust = (await appliance.niac("authority", "trust")).out;
  const made = await appliance.niac("enrolment", "code", "--user", "alice", "--device", "laptop-7");
  await appliance.niac("lock", "user", "alice", "--reason", "laptop stolen");
  const keys = await generateKey("p256");
  const body = makeRequest({ subject: makeName([["CN", "alice"]]) }, keys).toString("base64");
  const post = { body, authorization: basic("alice", made.out.trim()) };
  const enroll = (): Promise<Got> => send(port, trust, "/.well-known/est/simpleenroll", post);
  const locked = await enroll();
  t.is(locked.status, 403);
  t.regex(locked.text, /user alice is locked: laptop stolen/);
  await appliance.niac("unlock", "user", "alice");
  t.is((await enroll()).status, 200);
  await until(
    async () => (await appliance.niac("audit", "tail")).out.includes("let by one-time code 1"),
    "the record",
  );
});
