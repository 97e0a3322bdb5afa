import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { serviceUnit } from "../../../src/laptop/renew-timer.ts";
import { testWith } from "../../support/tools.ts";
import { FakeBox } from "./fake-box.ts";
import { Laptop } from "./laptop.ts";

testWith("systemd-analyze")("the units are what systemd takes", async (t) => {
  const box = await FakeBox.start(t);
  const laptop = new Laptop(t);
  laptop.environment["NIAC_CODE"] = "AB12";
  const fingerprint = createHash("sha256").update(box.root).digest("hex");
  await laptop.niac(
    "enroll",
    box.url,
    "--fingerprint",
    fingerprint,
    "--user",
    "alice",
    "--profile",
    "plant-7",
  );
  await laptop.niac("renew", "--install", "--profile", "plant-7");
  const stem = join(laptop.home, ".config", "systemd", "user", "niac-renew-plant-7");
  t.regex(
    readFileSync(`${stem}.service`, "utf8"),
    /^ExecStart="\/usr\/bin\/node" "\/opt\/niac\/niac-laptop\.mjs" "renew" "--profile" "plant-7"$/m,
  );
  t.is(verify(t, `${stem}.timer`), "", "nothing is complained of, but that niac is not installed here");
  t.true(laptop.out.includes("  systemctl --user enable --now niac-renew-plant-7.timer"));
});

testWith("systemd-analyze")("systemd takes a path apart as it was put together", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "niac-unit-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const place = join(dir, "a b 100%");
  mkdirSync(place);
  const program = join(place, "niac");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  const unit = join(dir, "niac-renew-x.service");
  writeFileSync(unit, serviceUnit("x", [program, "renew"]));
  t.is(verify(t, unit), "");
  rmSync(program);
  t.regex(verify(t, unit), /niac is not executable/, "what is not there is named");
});

test("on Windows and macOS: what to type, for a profile that is there", async (t) => {
  const box = await FakeBox.start(t);
  const laptop = new Laptop(t);
  laptop.environment["NIAC_CODE"] = "AB12";
  const fingerprint = createHash("sha256").update(box.root).digest("hex");
  laptop.platform = "darwin";
  await laptop.niac("enroll", box.url, "--fingerprint", fingerprint, "--user", "alice");
  await laptop.niac("renew", "--install");
  t.true(laptop.out.includes("    <string>/opt/niac/niac-laptop.mjs</string>"));
  t.true(laptop.out.includes(`Installed in ${laptop.home}/Library/Application Support/niac/default.`));
});

/** What systemd complains of; "" for nothing. */
function verify(t: ExecutionContext, unit: string): string {
  const runtime = mkdtempSync(join(tmpdir(), "niac-run-"));
  t.teardown(() => rmSync(runtime, { recursive: true, force: true }));
  const environment = { ...process.env, XDG_RUNTIME_DIR: runtime };
  return spawnSync("systemd-analyze", ["verify", "--user", unit], { encoding: "utf8", env: environment })
    .stderr;
}
