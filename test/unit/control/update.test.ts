import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Channel, UnavailableError } from "../../../src/base/index.ts";
import type { UpdateParts } from "../../../src/control/update-parts.ts";
import { Updates } from "../../../src/control/update.ts";
import * as link from "../../../src/link/index.ts";
import { until } from "../../support/processes.ts";
import { ASKED, BUNDLE, updateBed, type UpdateBed } from "./update-bed.ts";

/** A command's channel to control. */
async function channel(t: ExecutionContext, parts: UpdateParts | null): Promise<Channel> {
  const dir = mkdtempSync(join(tmpdir(), "niac-update-"));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(dir, "admin.sock"), resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const near = connect(join(dir, "admin.sock"));
  const far = await accepted;
  server.close();
  const updates = new Updates(parts, 1);
  t.teardown(() => {
    updates.stop();
    near.destroy();
    far.destroy();
    rmSync(dir, { recursive: true, force: true });
  });
  await updates.start();
  updates.serve(new Channel(far, "control"));
  const command = new Channel(near, "command");
  command.on(link.updateProgress, () => {});
  return command;
}

/** RAUC that says of each path what is in it. */
function holding(bed: UpdateBed, versions: Readonly<Record<string, string>>): void {
  bed.rauc.inspect = (source) => {
    const version = versions[source];
    // Of each version its own hash.
    const hash = createHash("sha256")
      .update(version ?? "")
      .digest("hex");
    bed.rauc.bundle = { ...BUNDLE, version: version ?? "", hash };
    return version === undefined
      ? Promise.reject(new UnavailableError("rauc-refused", `${source} is no bundle`))
      : Promise.resolve(bed.rauc.bundle);
  };
}

const STICK = "/run/niac-usb/sda1";
const OTHER = "/run/niac-usb/sdb1";

test("a computer that was not started from niac's image is not updated this way", async (t) => {
  const command = await channel(t, null);
  await t.throwsAsync(command.call(link.updateShow, null), { code: "no-image" });
  await t.throwsAsync(command.call(link.updateInstall, ASKED), { code: "no-image" });
  await t.throwsAsync(command.call(link.updateConfirm, null), { code: "no-image" });
});

test("from the command to the trial: shown, installed with its progress, restarted", async (t) => {
  const bed = updateBed(t);
  const command = await channel(t, bed.parts);
  const told: number[] = [];
  command.on(link.updateProgress, ({ percent }) => told.push(percent));
  const before = await command.call(link.updateShow, null);
  t.like(before, { version: "0.1.0", slot: "A", primary: "A", other: null, floor: "0.1.0", trial: false });
  t.like(await command.call(link.updateInstall, ASKED), { state: "installed", version: "0.2.0" });
  t.deepEqual(told, [0, 0, 70, 100]);
  const after = await command.call(link.updateShow, null);
  t.like(after, { other: "0.2.0", progress: null });
  t.deepEqual(
    after.updates.map(({ state }) => state),
    ["installed"],
  );
  t.deepEqual(await command.call(link.updateRestart, { now: false, by: "alice" }), {
    version: "0.2.0",
    sessions: 0,
  });
  t.is(bed.restarts, 1);
});

test("what RAUC does not say leaves the rest to be seen", async (t) => {
  const bed = updateBed(t);
  bed.rauc.primary = () => Promise.reject(new UnavailableError("rauc-away", "no answer"));
  bed.rauc.slots = () => Promise.reject(new UnavailableError("rauc-away", "no answer"));
  t.like(await (await channel(t, bed.parts)).call(link.updateShow, null), {
    version: "0.1.0",
    primary: null,
    other: null,
  });
});

test("of a stick the newest that may be installed is; every refusal is on record", async (t) => {
  const bed = updateBed(t);
  holding(bed, {
    [`${STICK}/a`]: "0.3.0",
    [`${STICK}/b`]: "0.10.0",
    [`${STICK}/c`]: "0.0.1",
    [`${STICK}/d`]: "0.1.0",
  });
  const paths = ["a", "b", "c", "d", "e"].map((name) => `${STICK}/${name}`);
  const command = await channel(t, bed.parts);
  const { installed, refused, restarts } = await command.call(link.updateStick, { paths, by: "a USB stick" });
  t.like(installed, { version: "0.10.0", by: "a USB stick", source: `${STICK}/b`, state: "installed" });
  t.is(refused.length, 2);
  t.false(restarts);
  t.is(bed.said().filter((line) => line.startsWith("update-refused a USB stick may not install")).length, 2);
  t.is(bed.restarts, 0);
});

test("a stick that stays in with what runs installs nothing, and leaves no record at each start", async (t) => {
  const bed = updateBed(t);
  holding(bed, { [`${STICK}/d`]: "0.1.0" });
  const command = await channel(t, bed.parts);
  const paths = [`${STICK}/d`];
  const { installed, refused, passed } = await command.call(link.updateStick, { paths, by: "a USB stick" });
  t.deepEqual([installed, refused, passed], [null, [], ["0.1.0 runs already"]]);
  t.deepEqual([bed.store.last(), bed.said()], [null, []]);
});

test("what is called a stick and is none is refused", async (t) => {
  const bed = updateBed(t);
  const command = await channel(t, bed.parts);
  const paths = ["/data/niac.raucb", `${STICK}/../../etc/x`];
  t.like(await command.call(link.updateStick, { paths, by: "bob" }), { installed: null });
  t.is(bed.store.last(), null);
});

test("where sticks are switched off, that is said and on record, and nothing on it is read", async (t) => {
  const bed = updateBed(t);
  bed.rauc.inspect = () => {
    throw new Error("read");
  };
  const command = await channel(t, { ...bed.parts, settings: { server: null, ca: null, usb: "off" } });
  const words = { paths: [`${STICK}/a`], by: "a USB stick" };
  await t.throwsAsync(command.call(link.updateStick, words), { code: "update-usb" });
  t.regex(bed.said().join(), /^update-refused .*NIAC_UPDATE_USB is off/);
});

test("a stick restarts the box where it is set so", async (t) => {
  const bed = updateBed(t);
  holding(bed, { [`${STICK}/a`]: "0.3.0" });
  const command = await channel(t, { ...bed.parts, settings: { server: null, ca: null, usb: "restart" } });
  const words = { paths: [`${STICK}/a`], by: "a USB stick" };
  t.true((await command.call(link.updateStick, words)).restarts);
  await until(() => bed.restarts === 1, "the restart");
  t.is(bed.store.last()?.state, "trial");
});

test("a stick restarts nothing while a session is open", async (t) => {
  const bed = updateBed(t);
  holding(bed, { [`${STICK}/a`]: "0.3.0" });
  let looked = 0;
  const sessions = (): Promise<number> => Promise.resolve(++looked);
  const command = await channel(t, {
    ...bed.parts,
    sessions,
    settings: { server: null, ca: null, usb: "restart" },
  });
  await command.call(link.updateStick, { paths: [`${STICK}/a`], by: "a USB stick" });
  await until(() => looked === 1, "the look at the sessions");
  t.like(await command.call(link.updateShow, null), { version: "0.1.0" });
  t.is(bed.store.last()?.state, "installed");
  t.is(bed.restarts, 0);
});

/** A box that a stick with 0.3.0 was plugged into, which was tried and left. */
async function left(
  t: ExecutionContext,
  usb: "install" | "restart",
): Promise<{ bed: UpdateBed; command: Channel }> {
  const bed = updateBed(t);
  holding(bed, { [`${STICK}/a`]: "0.3.0", [`${STICK}/b`]: "0.2.0", [`${OTHER}/a`]: "0.3.0" });
  const settings = { server: null, ca: null, usb };
  const before = await channel(t, { ...bed.parts, settings });
  await before.call(link.updateStick, { paths: [`${STICK}/a`], by: "a USB stick" });
  if (usb === "install") await before.call(link.updateRestart, { now: false, by: "alice" });
  await until(() => bed.restarts === 1, "the restart");
  bed.failure = "not healthy after 300 s: the gateway is away";
  const command = await channel(t, { ...bed.as({ bootId: "three" }), settings });
  t.is(bed.store.last()?.state, "rolled-back");
  bed.rauc.steps = [{ busy: false, percent: 100, step: "", error: "" }];
  return { bed, command };
}

for (const usb of ["install", "restart"] as const) {
  test(`what a stick brought, and was tried and left, it does not bring again, on record once (${usb})`, async (t) => {
    const { bed, command } = await left(t, usb);
    const records = bed.said().length;
    for (const path of [`${STICK}/a`, `${STICK}/a`, `${OTHER}/a`]) {
      const answer = await command.call(link.updateStick, { paths: [path], by: "a USB stick" });
      t.like(answer, { installed: null, refused: [], restarts: false });
      t.regex(
        answer.passed.join(),
        /0\.3\.0 again, which was tried and left: not healthy after 300 s.*niac update install/,
      );
    }
    await command.call(link.updateDismiss, { by: "alice" });
    await command.call(link.updateStick, { paths: [`${STICK}/a`], by: "a USB stick" });
    const since = bed.records().slice(records);
    t.deepEqual(
      since.map(({ detail }) => detail?.["action"]),
      ["update-refused", "update-dismissed"],
    );
    t.is(since[0]?.ref, bed.store.last()?.id);
    t.is(bed.restarts, 1);
    t.is(bed.store.list(9).length, 1, "no slot was written");
  });
}

test("what was tried and left keeps no other bundle from being installed, and somebody may ask for it by name", async (t) => {
  const { bed, command } = await left(t, "install");
  const paths = [`${STICK}/a`, `${STICK}/b`];
  t.like(await command.call(link.updateStick, { paths, by: "a USB stick" }), {
    installed: { version: "0.2.0" },
  });
  const asked = { ...ASKED, source: `${STICK}/a` };
  t.like(await command.call(link.updateInstall, asked), { version: "0.3.0", state: "installed" });
  t.is(bed.store.list(9).length, 3);
});

test("a stick that is still in when the box starts writes nothing over what waits for a restart", async (t) => {
  const bed = updateBed(t);
  holding(bed, { [`${STICK}/a`]: "0.3.0" });
  const words = { paths: [`${STICK}/a`], by: "a USB stick" };
  const command = await channel(t, bed.parts);
  await command.call(link.updateStick, words);
  const again = await command.call(link.updateStick, words);
  t.like(again, { installed: null, refused: [], restarts: false });
  t.regex(again.passed.join(), /0\.3\.0 is in slot B already, and waits for a restart/);
  t.deepEqual(
    bed.store.list(9).map(({ state }) => state),
    ["installed"],
  );
  t.is(bed.said().length, 2);
  const restarting = await channel(t, { ...bed.parts, settings: { server: null, ca: null, usb: "restart" } });
  t.true((await restarting.call(link.updateStick, words)).restarts);
  await until(() => bed.restarts === 1, "the restart that it waited for");
});

test("how far a stick is, its command is told, too", async (t) => {
  const bed = updateBed(t);
  holding(bed, { [`${STICK}/a`]: "0.3.0" });
  const command = await channel(t, bed.parts);
  const told: number[] = [];
  command.on(link.updateProgress, ({ percent }) => told.push(percent));
  await command.call(link.updateStick, { paths: [`${STICK}/a`], by: "a USB stick" });
  t.deepEqual(told, [0, 0, 70, 100]);
});

test("an installation from a stick that failed needs a person's eye, until somebody has seen it or another one is begun", async (t) => {
  const bed = updateBed(t);
  holding(bed, { [`${STICK}/a`]: "0.3.0" });
  const command = await channel(t, bed.parts);
  const words = { paths: [`${STICK}/a`], by: "a USB stick" };
  bed.rauc.steps = [{ busy: false, percent: 100, step: "", error: "Input/output error" }];
  await t.throwsAsync(command.call(link.updateStick, words), { code: "update-failed" });
  t.is(bed.faults.at(-1), "the update to 0.3.0 from a USB stick was not installed: Input/output error");
  await channel(t, bed.parts);
  t.regex(bed.faults.at(-1) ?? "", /was not installed/, "also after control was started again");
  await command.call(link.updateDismiss, { by: "alice" });
  t.is(bed.faults.at(-1), null);
  t.is(bed.said().at(-1), "update-dismissed alice has seen why 0.3.0 was not installed");
  await t.throwsAsync(command.call(link.updateDismiss, { by: "alice" }), { code: "update-none" });
  await channel(t, bed.parts);
  t.is(bed.faults.at(-1), null, "it stays seen");
  await t.throwsAsync(command.call(link.updateStick, words), { code: "update-failed" }, "and is tried again");
  t.not(bed.faults.at(-1), null);
  bed.rauc.steps = [{ busy: false, percent: 100, step: "", error: "" }];
  await command.call(link.updateStick, words);
  t.is(bed.faults.at(-1), null);
});
