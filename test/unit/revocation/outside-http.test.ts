import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import test, { type ExecutionContext } from "ava";
import { webServer } from "../../support/outside-ca.ts";
import { exchange, type Asked } from "../../../src/revocation/outside-http.ts";

type Answer = Parameters<typeof webServer>[0];

const drips: Answer = (_, response) => {
  const timer = setInterval(() => response.write("a"), 5);
  response.once("close", () => clearInterval(timer));
};

async function ask(t: ExecutionContext, answer: Answer, more: Partial<Asked> = {}) {
  const server = await webServer(answer);
  t.teardown(() => server.stop());
  const asked = {
    url: `${server.url}/a.crl`,
    headers: {},
    body: null,
    limit: 1_000,
    timeout: 60_000,
    idle: 30_000,
    ...more,
  };
  return exchange(asked, new AbortController().signal);
}

test("an answer is taken as it is, with what it is compared by later", async (t) => {
  const headers = { ETag: '"a1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT" };
  const told = await ask(t, (_, response) => response.writeHead(200, headers).end("list"));
  t.deepEqual(told, {
    status: 200,
    body: Buffer.from("list"),
    etag: '"a1"',
    lastModified: "Thu, 01 Jan 2026 00:00:00 GMT",
  });
});

test("what is posted arrives, and is not packed", async (t) => {
  const told = await ask(
    t,
    (request, response) => {
      const { method, headers } = request;
      response.write(`${method} ${headers["accept-encoding"]} ${headers["content-length"]} `);
      request.pipe(response);
    },
    { body: Buffer.from("question") },
  );
  t.is(told.body.toString(), "POST identity 8 question");
});

test("a body at the limit is taken; one byte more, announced or not, is not waited for", async (t) => {
  const told = await ask(t, (_, response) => response.end(Buffer.alloc(1_000)));
  t.is(told.body.length, 1_000);
  const over = { code: "outside-answer", message: /more than the 1000 bytes/ };
  await t.throwsAsync(
    ask(t, (_, response) => response.end(Buffer.alloc(1_001))),
    over,
  );
  await t.throwsAsync(
    ask(t, (_, response) => void response.writeHead(200, { "Content-Length": 10_000_000_000 }).write("a")),
    over,
  );
  await t.throwsAsync(
    ask(t, (_, response) => {
      const more = (): void => {
        while (response.writable && response.write(Buffer.alloc(500)));
        response.once("drain", more);
      };
      more();
    }),
    over,
  );
});

test("a server that drips is left after the time that was allowed, one that says nothing sooner", async (t) => {
  await t.throwsAsync(ask(t, drips, { timeout: 300 }), {
    code: "outside-away",
    message: /no whole answer within 0\.3 s/,
  });
  await t.throwsAsync(
    ask(t, () => {}, { idle: 100 }),
    { code: "outside-away", message: /nothing for 0\.1 s/ },
  );
  await t.throwsAsync(
    ask(t, (_, response) => void response.write("a"), { idle: 100 }),
    { code: "outside-away" },
  );
});

test("a redirect is followed on the same server, and to no other", async (t) => {
  const told = await ask(t, (request, response) => {
    if (request.url === "/b.crl") response.end("b");
    else response.writeHead(302, { Location: "/b.crl" }).end();
  });
  t.is(told.body.toString(), "b");
  const to = (location: string): Promise<unknown> =>
    ask(t, (_, response) => response.writeHead(302, { Location: location }).end());
  await t.throwsAsync(to("http://198.51.100.7/a.crl"), {
    code: "outside-answer",
    message: /to http:\/\/198\.51\.100\.7, which is another server/,
  });
  await t.throwsAsync(to("//198.51.100.7/a.crl"), { code: "outside-answer" });
  await t.throwsAsync(to("file:///etc/passwd"), { code: "outside-answer" });
  await t.throwsAsync(to("http://["), { code: "outside-answer", message: /to nowhere/ });
  await t.throwsAsync(to("/a.crl"), { code: "outside-answer", message: /more than 3 times/ });
});

test("what is no HTTP, an answer that breaks off and a port where nobody is are told apart", async (t) => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.resume().end("220 mail.example ESMTP\r\n");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`;
  const asked = { url, headers: {}, body: null, limit: 1_000, timeout: 60_000, idle: 30_000 };
  await t.throwsAsync(exchange(asked, new AbortController().signal), {
    code: "outside-answer",
    message: /no HTTP/,
  });
  server.close();
  await once(server, "close");
  await t.throwsAsync(exchange(asked, new AbortController().signal), {
    code: "outside-away",
    message: /ECONNREFUSED/,
  });
  await t.throwsAsync(
    ask(t, (_, response) => {
      response.writeHead(200, { "Content-Length": 100 }).write("half");
      setImmediate(() => response.destroy());
    }),
    { code: "outside-away" },
  );
});

test("who stops waits for nobody", async (t) => {
  const server = await webServer(() => {});
  t.teardown(() => server.stop());
  const stopping = new AbortController();
  const asked = { url: server.url, headers: {}, body: null, limit: 1_000, timeout: 60_000, idle: 30_000 };
  const told = exchange(asked, stopping.signal);
  stopping.abort();
  await t.throwsAsync(told, { code: "outside-away" });
});
