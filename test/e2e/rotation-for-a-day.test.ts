import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import { APPLIANCE } from "../support/appliance.ts";
import { AuthorityBed } from "../support/authority-bed.ts";
import { end } from "../support/processes.ts";
import { Steady } from "../support/rotation-clients.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const CLIENT = new URL("../support/rotation-client.ts", import.meta.url).pathname;
const ROTATED = "the gateway has a new certificate of its own";
/** Seconds that the clock goes on in each step, and the day with two hours more, so that the first certificate is over at the end. */
const STEP = 600;
const DAY = 26 * 3_600;

const seenSchema = z.union([
  z.strictObject({ serial: z.string(), from: z.number(), until: z.number(), now: z.number() }),
  z.strictObject({ error: z.string() }),
]);

testWith("faketime")("a day of rotations with the clock sped up loses no transaction", async (t) => {
  t.timeout(300_000);
  const machine = await PymodbusMachine.start(t);
  const library = execFileSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
  const site = pressSite(machine.port, { limits: "idleTimeout: 24h", service: "requestTimeout: 20s" });
  const bed = await AuthorityBed.prepare(t, { site });
  const { appliance } = bed;
  const clock = appliance.write("clock", "+0\n");
  const faked = {
    LD_PRELOAD: library.trim(),
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: "1",
    // The day passes on the clock alone: what is waited for on the wire takes as long as ever.
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  Object.assign(appliance.environment, faked, { NIAC_ROTATION: "8h" });
  appliance.launch("up");
  await appliance.logged("control is ready");
  await bed.init();
  await appliance.logged("gateway is ready");
  await bed.apply(site);
  const alice = await bed.laptop("alice");
  const steady = [await Steady.start(bed, alice), await Steady.start(bed, alice)];
  appliance.write("ca.pem", await bed.trust());
  appliance.write("certificate.pem", alice.chainPem);
  appliance.write("key.pem", alice.keyPem);
  const args = [CLIENT, String(appliance.modbusPort), `modbus.press-4.${APPLIANCE}`, appliance.dir];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...faked },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.teardown(() => end(child));
  const seen: Array<z.infer<typeof seenSchema>> = [];
  createInterface(child.stdout).on("line", (line) => seen.push(seenSchema.parse(JSON.parse(line))));

  const before = appliance.log.split(ROTATED).length;
  for (let shift = 0; shift <= DAY; shift += STEP) {
    writeFileSync(clock, `+${shift}\n`);
    const mark = seen.length;
    await appliance.until(() => seen.length > mark + 2, "connections by the new time");
  }
  child.stdin.end();
  await once(child, "exit");
  for (const each of steady) await each.stop();

  const errors = seen.flatMap((one) => ("error" in one ? [one.error] : []));
  const good = seen.flatMap((one) => ("serial" in one ? [one] : []));
  t.deepEqual([...steady.flatMap(({ failures }) => failures), ...errors], []);
  const rotations = appliance.log.split(ROTATED).length - before;
  const serials = new Set(good.map(({ serial }) => serial));
  t.log(`${rotations} rotations, ${good.length} new connections, ${serials.size} certificates seen`);
  t.log(
    `${steady.map(({ transactions }) => transactions).join(" and ")} transactions on connections kept open`,
  );
  t.true(rotations >= 3 && serials.size >= 3, `${rotations} rotations`);
  const [first] = good;
  t.true((first?.until ?? Infinity) < (good.at(-1)?.now ?? 0), "the first certificate is over at the end");
  t.true(good.every(({ from, until, now }) => from <= now && now < until));
});
