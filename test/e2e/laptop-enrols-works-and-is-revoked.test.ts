import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { Laptop, toBox } from "../integration/laptop/laptop.ts";
import { everything, local } from "../integration/laptop/running.ts";
import { AuthorityBed } from "../support/authority-bed.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine } from "../support/tools.ts";

/** Reads one holding register of unit 1: transaction 1, address 10. */
const READ = Buffer.from("0001000000060103000a0001", "hex");
const VALUE = "000100000005010302000a";

test("a laptop enrols by code, lists its machines, reads through connect, renews, and is out when revoked", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const { appliance } = await AuthorityBed.start(t, { site: pressSite(machine.port) });
  const laptop = new Laptop(t);
  const whose = ["--user", "alice", "--device", "laptop-7", "--tier", "managed", "--group", "maintenance"];
  const given = await appliance.niac("enrolment", "code", ...whose);
  laptop.environment["NIAC_CODE"] = /\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b/.exec(given.out)?.[0] ?? "";
  await laptop.niac("enroll", ...(await toBox(appliance)), "--user", "alice");

  await laptop.niac("machines");
  t.true(
    laptop.out.some((line) => /^press-4 +modbus +modbus-tcp /.test(line)),
    laptop.out.join("\n"),
  );
  const running = laptop.niac("connect", "press-4/modbus");
  const row = await laptop.line(/^press-4 +modbus +modbus-tcp +127/);
  const local1 = Number(/ 127\.0\.0\.1:(\d+) /.exec(row)?.[1]);
  t.is(await asked(local1), VALUE);

  const identity = join(laptop.profiles, "default", "identity.pem");
  const first = readFileSync(identity, "utf8");
  await laptop.niac("renew", "--now");
  t.not(readFileSync(identity, "utf8"), first);
  t.is(await asked(local1), VALUE, "and new connections use it");

  const revoked = await appliance.niac("authority", "revoke", "--user", "alice", "--reason", "laptop lost");
  t.is(revoked.code, 0, revoked.err);
  t.not(await asked(local1), VALUE);
  laptop.interrupt();
  await running;
  await t.throwsAsync(laptop.niac("renew", "--now"), { message: /revoked/ });
});

/** What the machine answers through the local port, hexadecimal. */
async function asked(port: number): Promise<string> {
  const socket = local(port);
  const answer = new Promise<string>((resolve) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString("hex")));
    void everything(socket).then(resolve);
  });
  socket.write(READ);
  const text = await answer;
  socket.destroy();
  return text;
}
