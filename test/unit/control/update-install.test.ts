import test, { type ExecutionContext } from "ava";
import { UnavailableError, UsageError } from "../../../src/base/index.ts";
import { UpdateInstaller } from "../../../src/control/update-install.ts";
import type { UpdateProgress } from "../../../src/link/index.ts";
import { ASKED, BUNDLE, TableRauc, updateBed, type UpdateBed } from "./update-bed.ts";

const SERVER = { url: "https://10.20.0.9/niac/", address: "10.20.0.9", port: 443 };

function installer(t: ExecutionContext): {
  bed: UpdateBed;
  installer: UpdateInstaller;
  told: UpdateProgress[];
} {
  const bed = updateBed(t);
  return { bed, installer: new UpdateInstaller(bed.parts, () => false, 1), told: [] };
}

test("a good bundle is installed: on record before RAUC begins and when it has ended, and it waits for a restart", async (t) => {
  const { bed, installer: it, told } = installer(t);
  const install = bed.rauc.install.bind(bed.rauc);
  bed.rauc.install = (...words) => {
    t.deepEqual(bed.said(), [
      "update-started alice installs 0.2.0 (niac 0.2.0 for Raspberry Pi 4) into slot B; 0.1.0 runs in slot A",
    ]);
    t.is(bed.store.last()?.state, "installing");
    return install(...words);
  };
  const update = await it.install(ASKED, (progress) => told.push(progress));
  t.like(update, { state: "installed", version: "0.2.0", from: "0.1.0", slot: "B", by: "alice" });
  t.deepEqual(bed.store.last(), update);
  t.is(bed.said()[1], "update-installed 0.2.0 is in slot B, and waits for a restart; 0.1.0 runs");
  t.deepEqual(
    told.map(({ percent }) => percent),
    [0, 0, 70, 100],
  );
  const [started, installed] = bed.records();
  t.is(started?.id, update.id);
  t.is(installed?.ref, update.id);
  t.like(started?.detail, { from: "0.1.0", version: "0.2.0", slot: "B", hash: BUNDLE.hash, by: "alice" });
  t.deepEqual(bed.rauc.marks, [], "nothing is tried because it was installed");
  t.is(bed.restarts, 0);
  t.is(it.progress, null);
});

test("a bundle that RAUC does not accept is refused, on record, and nothing is written", async (t) => {
  const { bed, installer: it } = installer(t);
  bed.rauc.bundle = new UsageError("update-bundle", "the bundle is refused: signature verification failed");
  await t.throwsAsync(
    it.install(ASKED, () => {}),
    { code: "update-bundle" },
  );
  t.deepEqual(bed.said(), [
    "update-refused alice may not install /data/niac.raucb: the bundle is refused: signature verification failed",
  ]);
  t.is(bed.store.last(), null);
});

for (const [what, bundle, code] of [
  ["an older version", { version: "0.0.9" }, "update-floor"],
  ["the same version", { version: "0.1.0" }, "update-same"],
  ["another board's", { compatible: "niac-rpi5" }, "update-board"],
] as const) {
  test(`refused and on record with version and hash: ${what}`, async (t) => {
    const { bed, installer: it } = installer(t);
    bed.rauc.bundle = { ...BUNDLE, ...bundle };
    await t.throwsAsync(
      it.install(ASKED, () => {}),
      { instanceOf: UsageError, code },
    );
    t.like(bed.records()[0]?.detail, { action: "update-refused", hash: BUNDLE.hash, from: "0.1.0" });
    t.is(bed.records().length, 1);
  });
}

test("going back on purpose is on record as that", async (t) => {
  const { bed } = installer(t);
  bed.rauc.bundle = { ...BUNDLE, version: "0.1.0-rc.1" };
  const it = new UpdateInstaller({ ...bed.parts, floor: () => "0.0.9" }, () => false, 1);
  await it.install({ ...ASKED, allowDowngrade: true }, () => {});
  t.regex(bed.said()[0] ?? "", /installs 0\.1\.0-rc\.1 .*going back allowed$/);
});

test("an installation that RAUC gives up is failed, with its words on record, and what runs stays", async (t) => {
  const { bed, installer: it } = installer(t);
  bed.rauc.steps = [{ busy: false, percent: 100, step: "Installing failed.", error: "Input/output error" }];
  await t.throwsAsync(
    it.install(ASKED, () => {}),
    {
      instanceOf: UnavailableError,
      message: "0.2.0 was not installed: Input/output error; 0.1.0 stays",
    },
  );
  t.like(bed.store.last(), { state: "failed", reason: "Input/output error" });
  t.regex(bed.said()[1] ?? "", /^update-failed /);
});

test("RAUC says that all is well, and half of it is written: failed", async (t) => {
  const { bed, installer: it } = installer(t);
  bed.rauc.half = true;
  await t.throwsAsync(
    it.install(ASKED, () => {}),
    { message: /it was broken off/ },
  );
  t.is(bed.store.last()?.state, "failed");
});

test("a server that hands out another bundle than the one that was checked: failed", async (t) => {
  const { bed, installer: it } = installer(t);
  bed.rauc.written = { hash: "cd".repeat(32) };
  await t.throwsAsync(
    it.install(ASKED, () => {}),
    { message: /not the bundle that was checked/ },
  );
  t.is(bed.store.last()?.state, "failed");
});

test("RAUC does not begin: failed, and the next may try", async (t) => {
  const { bed, installer: it } = installer(t);
  bed.rauc.refuses = "Already processing a different method";
  await t.throwsAsync(
    it.install(ASKED, () => {}),
    { message: /Already processing/ },
  );
  t.is(bed.store.last()?.state, "failed");
  bed.rauc.refuses = null;
  t.is((await it.install(ASKED, () => {})).state, "installed");
});

test("what is on record of an installation and what is noted of it come together, or neither does", async (t) => {
  const { bed } = installer(t);
  let records = 0;
  const after = (most: number): UpdateInstaller => {
    records = 0;
    const append: typeof bed.parts.audit.append = (...words) =>
      ++records > most
        ? Promise.reject(new UnavailableError("audit-full", "the storage is full"))
        : bed.parts.audit.append(...words);
    return new UpdateInstaller({ ...bed.parts, audit: { append, related: () => [] } }, () => false, 1);
  };
  const install = (most: number): Promise<unknown> => after(most).install(ASKED, () => {});
  await t.throwsAsync(install(0), { code: "audit-full" });
  t.is(bed.store.last(), null);
  await t.throwsAsync(install(1), { code: "audit-full" });
  t.is(bed.store.last()?.state, "installing", "its end is found, and recorded, at the next start");
  bed.rauc.refuses = "no";
  await t.throwsAsync(install(1), { code: "audit-full" });
  t.deepEqual(
    bed.store.list(9).map(({ state }) => state),
    ["replaced", "installing"],
  );
});

test("RAUC is told which bundle was checked, and where that was", async (t) => {
  const bed = updateBed(t);
  const told: string[] = [];
  bed.rauc.install = (source, ca, transaction, hash) => {
    told.push(source, hash);
    return TableRauc.prototype.install.call(bed.rauc, source, ca, transaction, hash);
  };
  const settings = { server: SERVER, ca: "/data/ca.pem", usb: "off" } as const;
  const it = new UpdateInstaller({ ...bed.parts, settings }, () => false, 1);
  const update = await it.install(
    { ...ASKED, source: "HTTPS://10.20.0.9:443/niac/x/../new.raucb" },
    () => {},
  );
  t.deepEqual(told, ["https://10.20.0.9/niac/new.raucb", BUNDLE.hash]);
  t.is(update.source, "https://10.20.0.9/niac/new.raucb");
});

test("RAUC that is started again meanwhile is asked again", async (t) => {
  const { bed, installer: it } = installer(t);
  bed.rauc.steps.splice(1, 0, new UnavailableError("rauc-away", "no answer"));
  t.is((await it.install(ASKED, () => {})).state, "installed");
});

test("a second installation is refused with who does the first, and disturbs nothing", async (t) => {
  const { bed, installer: it } = installer(t);
  const first = it.install(ASKED, () => {});
  const error = await t.throwsAsync(
    it.install({ ...ASKED, by: "bob" }, () => {}),
    { code: "update-busy" },
  );
  t.regex(error.message, /^alice installs \/data\/niac\.raucb right now/);
  t.throws(() => it.mustBeIdle(), { code: "update-busy" });
  await first;
  t.is(bed.store.list(9).length, 1);
  t.notThrows(() => it.mustBeIdle());
});

test("while an image is on trial nothing is written over what the box would go back to", async (t) => {
  const bed = updateBed(t);
  const it = new UpdateInstaller(bed.as({ slot: "B", tryboot: true, version: "0.1.5" }), () => true, 1);
  await t.throwsAsync(
    it.install(ASKED, () => {}),
    { code: "update-trial" },
  );
  t.regex(bed.said()[0] ?? "", /^update-refused .*0\.1\.5 is on trial/);
});

test("what is written over another that waited replaces it", async (t) => {
  const { bed, installer: it } = installer(t);
  await it.install(ASKED, () => {});
  bed.rauc.steps = [{ busy: false, percent: 100, step: "", error: "" }];
  await it.install(ASKED, () => {});
  t.deepEqual(
    bed.store.list(9).map(({ state }) => state),
    ["replaced", "installed"],
  );
});

test("an installation that control left by ending is judged when it comes back", async (t) => {
  const { bed, installer: it } = installer(t);
  const update = bed.store.begin({
    source: ASKED.source,
    by: ASKED.by,
    id: "left",
    begun: 1,
    from: "0.1.0",
    version: "0.2.0",
    hash: BUNDLE.hash,
    slot: "B",
  });
  await bed.rauc.install("", null, "left", BUNDLE.hash);
  await it.resume(update);
  t.is(bed.store.last()?.state, "installed");
  const cut = bed.store.begin({ ...update, id: "cut" });
  await it.resume(cut);
  t.like(bed.store.last(), { state: "failed", reason: "it was broken off" });
});

for (const [source, settings, code] of [
  ["https://10.20.0.9/niac/new.raucb", { server: null, ca: null }, "update-source"],
  ["https://10.20.0.9/other/new.raucb", { server: SERVER, ca: "/data/ca.pem" }, "update-source"],
  ["https://10.20.0.9/niac/../other/new.raucb", { server: SERVER, ca: "/data/ca.pem" }, "update-source"],
  ["https://10.20.0.99/niac/new.raucb", { server: SERVER, ca: "/data/ca.pem" }, "update-source"],
  ["http://10.20.0.9/niac/new.raucb", { server: SERVER, ca: "/data/ca.pem" }, "update-source"],
  ["new.raucb", { server: SERVER, ca: "/data/ca.pem" }, "update-source"],
  ["https://10.20.0.9/niac/new.raucb", { server: SERVER, ca: null }, "update-ca"],
  ["https://10.20.0.9/niac/new.raucb", { server: SERVER, ca: "/data/ca.pem" }, null],
] as const) {
  test(`from ${source}, server ${settings.server?.url ?? "none"}, authority ${settings.ca ?? "none"}: ${code ?? "taken"}`, async (t) => {
    const bed = updateBed(t);
    const it = new UpdateInstaller({ ...bed.parts, settings: { ...settings, usb: "off" } }, () => false, 1);
    const taken = it.install({ ...ASKED, source }, () => {});
    if (code === null) t.is((await taken).state, "installed");
    else await t.throwsAsync(taken, { instanceOf: UsageError, code });
  });
}
