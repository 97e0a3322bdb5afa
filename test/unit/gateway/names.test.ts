import { createSocket } from "node:dgram";
import test from "ava";
import { UnavailableError } from "../../../src/base/index.ts";
import { Names } from "../../../src/gateway/names.ts";
import type { Teardown } from "../../support/processes.ts";
import { StillClock } from "../machine/requests.ts";

/** A name server by the standard's layout: `address` for every name, or nothing where it is null, or a code. */
async function nameServer(
  t: Teardown,
  answer: (name: string) => string | number,
): Promise<{ at: string; asked: string[] }> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  t.teardown(() => void socket.close());
  socket.on("message", (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const name = query.toString("latin1", 13, end - 5).replaceAll(/[^a-z0-9-]/g, ".");
    asked.push(name);
    const said = answer(name);
    const found = typeof said === "string";
    const head = Buffer.from([
      query[0]!,
      query[1]!,
      0x85,
      0x80 | (found ? 0 : said),
      0,
      1,
      0,
      found ? 1 : 0,
      0,
      0,
      0,
      0,
    ]);
    const record = found
      ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...said.split(".").map(Number)])
      : [];
    socket.send(Buffer.concat([head, query.subarray(12, end), Buffer.from(record)]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { at: `127.0.0.1:${socket.address().port}`, asked };
}

test("a name's address is asked of the servers given, kept for 30 s, and asked once by many at a time", async (t) => {
  let address = "10.1.0.5";
  const server = await nameServer(t, () => address);
  const clock = new StillClock();
  const names = new Names([server.at], undefined, clock);
  const all = [names.lookup("historian.example"), names.lookup("historian.example")];
  t.deepEqual(await Promise.all(all), ["10.1.0.5", "10.1.0.5"]);
  address = "10.1.0.6";
  clock.time = 29_999;
  t.is(await names.lookup("historian.example"), "10.1.0.5");
  t.deepEqual(server.asked, ["historian.example"]);
  clock.time = 30_000;
  t.is(await names.lookup("historian.example"), "10.1.0.6");
  t.is(server.asked.length, 2);
});

test("an address is returned as it is, and nobody asked", async (t) => {
  const server = await nameServer(t, () => 2);
  t.is(await new Names([server.at]).lookup("10.9.8.7"), "10.9.8.7");
  t.is(await new Names([server.at]).lookup("127.0.0.1"), "127.0.0.1");
  t.deepEqual(server.asked, []);
});

test("an unknown name, and servers that fail, are errors that say which; neither is kept", async (t) => {
  let code = 3;
  const server = await nameServer(t, () => (code === 0 ? "10.1.0.5" : code));
  const names = new Names([server.at]);
  const unknown = await t.throwsAsync(names.lookup("historian.example"), {
    instanceOf: UnavailableError,
    code: "name-unknown",
  });
  t.true(unknown?.message.includes(server.at) && unknown.message.includes("historian.example"));
  t.truthy(unknown?.advice);
  code = 2;
  await t.throwsAsync(names.lookup("historian.example"), {
    instanceOf: UnavailableError,
    code: "name-servers",
  });
  code = 0;
  t.is(await names.lookup("historian.example"), "10.1.0.5");
});

test("an answer that leads to the appliance itself, or to where no destination may be, is refused", async (t) => {
  let address = "";
  const server = await nameServer(t, () => address);
  const names = new Names([server.at], (candidate) => candidate === "10.20.0.11");
  const lookup = async (answer: string): Promise<string> => {
    address = answer;
    return names.lookup(`h${answer.replaceAll(".", "-")}.example`);
  };
  for (const wrong of [
    "127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "198.18.0.1",
    "198.19.0.7",
    "224.0.0.1",
    "255.255.255.255",
    "10.20.0.11",
  ]) {
    const error = await t.throwsAsync(
      lookup(wrong),
      { instanceOf: UnavailableError, code: "name-address" },
      wrong,
    );
    t.true(error?.message.includes(wrong));
  }
  for (const right of ["10.20.0.12", "169.253.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255"])
    t.is(await lookup(right), right);
});
