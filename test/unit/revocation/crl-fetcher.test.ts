import test, { type ExecutionContext } from "ava";
import { webServer } from "../../support/outside-ca.ts";
import { HOUR, OutsideBed, TestCa } from "./outside-bed.ts";

const BOB = "0b0b";

type Answer = Parameters<typeof webServer>[0];

async function bedWith(t: ExecutionContext, ca: TestCa, answer: Answer) {
  const server = await webServer(answer);
  t.teardown(() => server.stop());
  const bed = OutsideBed.open(t);
  bed.outside.apply([ca.config({ crlUrl: `${server.url}/a.crl` })]);
  // Joins the fetch that `apply` began.
  await bed.outside.fetch(ca.name);
  return { bed, server };
}

test("a list is fetched when the authority comes into the site document", async (t) => {
  const ca = await TestCa.make("A CA");
  const { bed, server } = await bedWith(t, ca, (_, response) => response.end(ca.crl({ revoked: [BOB] })));
  t.is(await bed.verdict(ca, BOB), "revoked");
  t.is(server.requests(), 1);
  const [view] = bed.outside.views();
  t.deepEqual(view?.fetch, { at: bed.clock.time, problem: null });
  t.is(view?.lists[0]?.by, "fetched");
});

test("the server is asked only for what changed, and always where no list is held", async (t) => {
  const ca = await TestCa.make("A CA");
  const list = ca.crl();
  const asked: (string | undefined)[] = [];
  const { bed } = await bedWith(t, ca, (request, response) => {
    asked.push(request.headers["if-none-match"]);
    if (request.headers["if-none-match"] === '"a1"') response.writeHead(304).end();
    else response.writeHead(200, { ETag: '"a1"' }).end(list);
  });
  await bed.outside.fetch(ca.name);
  t.deepEqual(asked, [undefined, '"a1"']);
  t.is(bed.outside.views()[0]?.fetch?.problem, null);
  t.is(await bed.verdict(ca, BOB), "good");
});

test("a server without a list, or with one that is not to be taken, is told of once; the list held stays", async (t) => {
  const ca = await TestCa.make("A CA");
  let answer: Answer = (_, response) => response.end(ca.crl({ number: 2n, revoked: [BOB] }));
  const { bed } = await bedWith(t, ca, (request, response) => answer(request, response));
  const problem = async (next: Answer): Promise<string | null> => {
    answer = next;
    await bed.outside.fetch(ca.name);
    return bed.outside.views()[0]?.fetch?.problem ?? null;
  };
  t.regex(
    (await problem((_, response) => response.writeHead(500).end())) ?? "",
    /answers 500 when it is asked/,
  );
  t.regex((await problem((_, response) => response.writeHead(500).end())) ?? "", /answers 500/);
  t.regex((await problem((_, response) => response.end("<html>"))) ?? "", /cannot be read/);
  t.regex(
    (await problem((_, response) => response.end(ca.crl({ number: 1n })))) ?? "",
    /number 1, and number 2 is held/,
  );
  t.is(await bed.verdict(ca, BOB), "revoked");
  t.is(await problem((_, response) => response.end(ca.crl({ number: 3n }))), null);
  t.is(await bed.verdict(ca, BOB), "good");
  const told = (await bed.reasons()).filter((reason) => reason.startsWith("the revocation list of A CA is"));
  t.deepEqual(
    told.map((reason) => reason.replace(/127\.0\.0\.1:\d+/, "server").slice(0, 70)),
    [
      "the revocation list of A CA is not to be had: server answers 500 when ",
      "the revocation list of A CA is not to be had: the revocation list cann",
      "the revocation list of A CA is not to be had: the revocation list of A",
      "the revocation list of A CA is to be had again",
    ],
  );
});

test("an authority taken off the document is fetched for no more, nor is one asked for that is not", async (t) => {
  const ca = await TestCa.make("A CA");
  const { bed, server } = await bedWith(t, ca, (_, response) => response.end(ca.crl()));
  bed.outside.apply([]);
  await bed.outside.fetch(null);
  t.is(server.requests(), 1);
  await t.throwsAsync(bed.outside.fetch(ca.name), { code: "no-list" });
  bed.outside.apply([ca.config({ crlEvery: HOUR })]);
  await t.throwsAsync(bed.outside.fetch(ca.name), { code: "no-list" });
});

test("a list that hangs does not keep niac from stopping", async (t) => {
  const ca = await TestCa.make("A CA");
  const server = await webServer(() => {});
  t.teardown(() => server.stop());
  const bed = OutsideBed.open(t);
  bed.outside.apply([ca.config({ crlUrl: `${server.url}/a.crl` })]);
  await bed.outside.stop();
  t.is(await bed.verdict(ca, BOB), "revocation-unknown");
});
