import { once } from "node:events";
import { createServer, type Server } from "node:http";
import test, { type ExecutionContext } from "ava";
import { generateKey, publicKeyInfoOf, readPublicKey } from "../../../src/x509/index.ts";
import { makeAnswer, makeFailure, nonceOf, type AnswerWish } from "./ocsp-maker.ts";
import { DAY, HOUR, NOW, OutsideBed, TestCa } from "./outside-bed.ts";

const ALICE = "0a11ce";
const BOB = "0b0b";
const SECOND = 1_000;
const GRACE = {
  name: "night shift",
  reason: "the link is down at night",
  groups: ["maintenance"],
  milliseconds: HOUR,
};

type Wish = Omit<AnswerWish, "ca" | "serialNumber">;

/** An authority whose responder is this process's, and answers as `says` says. */
class Responder {
  readonly ca: TestCa;
  readonly bed: OutsideBed;
  readonly server: Server;
  says: (nonce: Buffer) => Wish | Buffer | number;
  asked = 0;

  private constructor(t: ExecutionContext, ca: TestCa, server: Server) {
    this.ca = ca;
    this.bed = OutsideBed.open(t);
    this.server = server;
    this.says = (nonce) => ({ nonce });
  }

  static async open(t: ExecutionContext): Promise<Responder> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const responder = new Responder(t, await TestCa.make("A CA"), server);
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    server.on("request", (request, response) => {
      responder.asked += 1;
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const question = Buffer.concat(chunks);
        const answer = responder.says(nonceOf(question));
        // As an INTEGER: two bytes alone stand in a nonce, too, now and then.
        const serialNumber = question.includes(Buffer.from(`0202${BOB}`, "hex")) ? BOB : ALICE;
        if (typeof answer === "number") response.writeHead(answer).end();
        else
          response.end(
            Buffer.isBuffer(answer) ? answer : makeAnswer({ ca: responder.ca, serialNumber, ...answer }),
          );
      });
    });
    return responder;
  }

  get url(): string {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}/` : "";
  }

  apply(more: Parameters<TestCa["config"]>[0] = {}): void {
    this.bed.outside.apply([this.ca.config({ revocation: "ocsp", ocspUrl: this.url, ...more })]);
  }

  verdict(serialNumber = ALICE, groups: readonly string[] = []): Promise<string | null> {
    return this.bed.verdict(this.ca, serialNumber, groups);
  }

  reason(): Promise<string> {
    return this.bed.outside
      .check({ authority: this.ca.name, serialNumber: ALICE }, [])
      .then((verdict) => verdict?.refusal?.reason ?? "none");
  }
}

test("a responder says good, revoked or unknown, and what it says is done", async (t) => {
  const responder = await Responder.open(t);
  responder.apply();
  t.is(await responder.verdict(), "good");
  responder.says = (nonce) => ({ nonce, status: "revoked", revokedAt: NOW - DAY });
  t.is(await responder.verdict(BOB), "revoked");
  t.true(responder.bed.changes > 1, "live sessions are looked at");
  t.true((await responder.bed.reasons()).includes("the OCSP responder of A CA calls a certificate revoked"));
  responder.says = (nonce) => ({ nonce, status: "unknown" });
  responder.bed.clock.time += 700 * SECOND;
  t.is(await responder.verdict(), "revocation-unknown");
  t.regex(await responder.reason(), /does not know the serial number 0a11ce/);
});

test("an unknown certificate gets no grace, and no list speaks for it", async (t) => {
  const responder = await Responder.open(t);
  responder.apply({ grace: GRACE });
  await responder.bed.outside.importCrl(responder.ca.crl(), "alice");
  t.is(await responder.verdict(), "good");
  responder.says = (nonce) => ({ nonce, status: "unknown", nextUpdate: NOW + 2 * HOUR });
  responder.bed.clock.time += HOUR;
  t.is(await responder.verdict(ALICE, ["maintenance"]), "revocation-unknown");
});

test("an answer is kept until it runs out, and asked for again then; an hour at most, ten seconds at least", async (t) => {
  const responder = await Responder.open(t);
  const { clock } = responder.bed;
  responder.apply();
  const askedAt = async (time: number): Promise<number> => {
    clock.time = NOW + time;
    await responder.verdict();
    return responder.asked;
  };
  responder.says = (nonce) => ({ nonce, nextUpdate: NOW + 60 * SECOND });
  t.deepEqual([await askedAt(0), await askedAt(59 * SECOND)], [1, 1]);
  responder.says = (nonce) => ({ nonce, nextUpdate: NOW + 9 * DAY });
  t.deepEqual(
    [await askedAt(60 * SECOND), await askedAt(HOUR + 59 * SECOND), await askedAt(HOUR + 60 * SECOND)],
    [2, 2, 3],
  );
  responder.says = (nonce) => ({ nonce, thisUpdate: clock.time, producedAt: clock.time, nextUpdate: null });
  const later = 5 * HOUR;
  t.deepEqual(
    [await askedAt(later), await askedAt(later + 9 * SECOND), await askedAt(later + 10 * SECOND)],
    [4, 4, 5],
  );
});

test("one question is on its way for each certificate, however many ask", async (t) => {
  const responder = await Responder.open(t);
  responder.apply();
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => responder.verdict()));
  t.true(verdicts.every((verdict) => verdict === "good"));
  t.is(responder.asked, 1);
});

test("an answer for another question, another certificate, another authority, or twice over is none", async (t) => {
  const responder = await Responder.open(t);
  const other = await TestCa.make("A CA");
  responder.apply();
  const wishes: [() => Wish | Buffer, RegExp][] = [
    [() => ({ nonce: Buffer.alloc(32, 7) }), /nonce is another/],
    [() => makeAnswer({ ca: responder.ca, serialNumber: "0a11cf" }), /says nothing of the certificate/],
    [() => makeAnswer({ ca: other, serialNumber: ALICE }), /signed neither by the authority nor/],
    [() => ({ times: 2 }), /speaks twice/],
    [() => Buffer.from("no answer"), /cannot be read/],
    [() => Buffer.alloc(200_000), /takes? at most|more than/],
  ];
  for (const [says, words] of wishes) {
    responder.says = says;
    responder.bed.clock.time += 10 * SECOND;
    t.regex(await responder.reason(), words);
  }
});

test("every byte of an answer changed proves nothing", async (t) => {
  const responder = await Responder.open(t);
  responder.apply();
  const whole = makeAnswer({ ca: responder.ca, serialNumber: ALICE });
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0x10;
    responder.says = () => changed;
    t.is(await responder.verdict(), "revocation-unknown", `byte ${at}`);
    // A change to what looks like a failure makes the responder rest.
    responder.bed.clock.time += 6 * SECOND;
  }
});

test("an answer of the future, or one that has run out, proves nothing; without nonce and end it is good for minutes", async (t) => {
  const responder = await Responder.open(t);
  responder.apply();
  const { clock } = responder.bed;
  const verdict = async (wish: Wish): Promise<string | null> => {
    clock.time += DAY;
    responder.says = () => wish;
    return responder.verdict();
  };
  const minutes = (count: number): number => clock.time + DAY + count * 60_000;
  const now = (): { thisUpdate: number; producedAt: number } => ({
    thisUpdate: minutes(0),
    producedAt: minutes(0),
  });
  t.is(await verdict({ ...now(), thisUpdate: minutes(6), nextUpdate: minutes(99) }), "revocation-unknown");
  t.is(await verdict({ ...now(), thisUpdate: minutes(5), nextUpdate: minutes(99) }), "good");
  t.is(await verdict({ ...now(), nextUpdate: minutes(-6) }), "revocation-unknown");
  t.is(await verdict({ ...now(), nextUpdate: minutes(-5) }), "good");
  t.is(await verdict({ ...now(), producedAt: minutes(-6), nextUpdate: null }), "revocation-unknown");
  t.is(await verdict({ ...now(), producedAt: minutes(-5), nextUpdate: null }), "good");
});

test("a delegated responder is believed where the authority certified it for that, now, and it is not revoked", async (t) => {
  const responder = await Responder.open(t);
  const { ca, bed } = responder;
  const other = await TestCa.make("Other CA");
  const { privateKey: key, publicKey } = await generateKey("p256");
  const keyBits = readPublicKey(publicKeyInfoOf(publicKey)).bytes;
  responder.apply();
  const verdict = async (certificate: Buffer): Promise<string> => {
    bed.clock.time += 11 * SECOND;
    responder.says = (nonce) => ({ nonce, nextUpdate: null, by: { key, certificate, keyBits } });
    const reason = await responder.reason();
    return reason;
  };
  t.is(await verdict(ca.certify("responder", publicKey)), "none");
  t.regex(await verdict(other.certify("responder", publicKey)), /was not certified by CN=A CA/);
  t.regex(
    await verdict(ca.certify("responder", publicKey, { ocsp: false })),
    /not certified for signing OCSP answers/,
  );
  t.regex(await verdict(ca.certify("responder", publicKey, { notAfter: NOW - 1_000 })), /has expired/);
  const checked = ca.certify("responder", publicKey, { noCheck: false });
  t.regex(await verdict(checked), /the responder's own certificate was revoked is not known/);
  await bed.outside.importCrl(ca.crl({ number: 1n }), "alice");
  t.is(await verdict(checked), "none", "the list vouches for it");
});

test("a responder that is away: its last answer while that is good, then the list, then nobody", async (t) => {
  const responder = await Responder.open(t);
  const { bed, ca } = responder;
  responder.apply();
  responder.says = (nonce) => ({ nonce, nextUpdate: NOW + 2 * HOUR });
  t.is(await responder.verdict(), "good");
  responder.says = () => 503;
  bed.clock.time = NOW + HOUR;
  t.is(await responder.verdict(), "good", "asked for again after an hour, and good for two");
  t.is(responder.asked, 2);
  t.is(await responder.verdict(BOB), "revocation-unknown", "who was never asked about");
  bed.clock.time = NOW + 2 * HOUR + 1;
  t.is(await responder.verdict(), "revocation-unknown");
  t.regex(
    await responder.reason(),
    /the OCSP responder of A CA is of no use: the responder 127\.0\.0\.1:\d+ answers 503/,
  );
  await bed.outside.importCrl(ca.crl({ revoked: [BOB] }), "alice");
  t.is(await responder.verdict(), "good");
  t.is(await responder.verdict(BOB), "revoked");
  t.regex(bed.outside.views()[0]?.trouble ?? "", /answers 503/);
  responder.says = (nonce) => ({
    nonce,
    producedAt: bed.clock.time,
    thisUpdate: bed.clock.time,
    nextUpdate: null,
  });
  bed.clock.time += 6 * SECOND;
  t.is(await responder.verdict(), "good");
  t.is(bed.outside.views()[0]?.trouble, null);
  const told = (await bed.reasons()).filter((reason) => reason.includes("OCSP responder of A CA is"));
  t.deepEqual(
    told.map((reason) => reason.slice(0, 52)),
    ["the OCSP responder of A CA is not to be had: the res", "the OCSP responder of A CA is to be had again"],
  );
});

test("a grace counts from when a responder last answered; who was called revoked stays out, also after a restart", async (t) => {
  const responder = await Responder.open(t);
  const { bed } = responder;
  responder.apply({ grace: GRACE });
  t.is(await responder.verdict(), "good");
  responder.says = (nonce) => ({ nonce, status: "revoked" });
  t.is(await responder.verdict(BOB), "revoked");
  responder.says = () => makeFailure(3);
  bed.clock.time = NOW + 40 * 60_000;
  const restarted = bed.again(t);
  restarted.outside.apply([
    responder.ca.config({ revocation: "ocsp", ocspUrl: responder.url, grace: GRACE }),
  ]);
  t.regex(
    (await restarted.verdict(responder.ca, ALICE, ["maintenance"])) ?? "",
    /^let in by the grace "night shift".*tryLater/,
  );
  t.is(await restarted.verdict(responder.ca, ALICE), "revocation-unknown");
  t.is(await restarted.verdict(responder.ca, BOB, ["maintenance"]), "revoked");
  bed.clock.time = NOW + HOUR;
  t.is(await restarted.verdict(responder.ca, ALICE, ["maintenance"]), "revocation-unknown");
});

test("an older answer does not take a revocation back; a newer one does", async (t) => {
  const responder = await Responder.open(t);
  const { bed } = responder;
  responder.apply();
  responder.says = (nonce) => ({ nonce, status: "revoked", nextUpdate: null });
  t.is(await responder.verdict(), "revoked");
  bed.clock.time += 10 * SECOND;
  responder.says = () => ({ thisUpdate: NOW - 1_000, nextUpdate: NOW + DAY });
  t.is(await responder.verdict(), "revoked");
  bed.clock.time += 10 * SECOND;
  responder.says = () => ({ thisUpdate: NOW + 5_000, nextUpdate: NOW + DAY });
  t.is(await responder.verdict(), "good");
});

test("a list that names a certificate decides, whatever the responder says", async (t) => {
  const responder = await Responder.open(t);
  responder.apply();
  await responder.bed.outside.importCrl(responder.ca.crl({ revoked: [ALICE] }), "alice");
  t.is(await responder.verdict(), "revoked");
  t.is(responder.asked, 0);
});
