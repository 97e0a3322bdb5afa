import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { tmpdir } from "node:os";
import test, { type ExecutionContext } from "ava";
import type { Channel } from "../../../src/base/index.ts";
import { updateCommand, type Surroundings } from "../../../src/command/index.ts";
import {
  ADMIN_SOCKET,
  listen,
  updateProgress,
  updateStick,
  type UpdateView,
} from "../../../src/link/index.ts";

const NOTHING = { installed: null, refused: [], passed: [], restarts: false };
const INSTALLED: UpdateView = {
  id: "one",
  begun: 1,
  changed: 2,
  source: "/run/niac-usb/sda1/niac.raucb",
  by: "a USB stick",
  from: "0.1.0",
  version: "0.2.0",
  hash: "",
  slot: "B",
  state: "installed",
  reason: "",
};

interface Told {
  readonly printed: string[];
  readonly complained: string[];
  code: number;
}

/** `niac update stick` for a stick with these files, and a control that answers as `serve` says. */
async function stick(
  t: ExecutionContext,
  files: readonly string[],
  serve: (channel: Channel) => void,
): Promise<Told> {
  const dir = mkdtempSync(join(tmpdir(), "niac-stick-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "stick"));
  for (const name of files) writeFileSync(join(dir, "stick", name), "");
  const server = await listen(join(dir, ADMIN_SOCKET), "control", serve);
  t.teardown(() => void server.close());
  const told: Told = { printed: [], complained: [], code: 0 };
  const around: Surroundings = {
    print: (line) => void told.printed.push(line),
    complain: (line) => void told.complained.push(line),
    color: false,
    width: 120,
    user: "root",
    runDir: () => dir,
    exit: (code) => (told.code = code),
    secret: () => Promise.resolve(null),
    interrupted: () => Promise.resolve(),
  };
  await updateCommand(around).parseAsync(["stick", join(dir, "stick")], { from: "user" });
  return told;
}

test("of more bundles than are looked at the last by name are, as versions go, and that is said", async (t) => {
  const files = Array.from({ length: 20 }, (_, minor) => `niac-0.${minor}.0.raucb`);
  let asked: string[] = [];
  const { complained } = await stick(t, [...files, ".hidden.raucb", "niac.txt"], (channel) => {
    channel.handle(updateStick, ({ paths }) => {
      asked = paths.map((path) => basename(path));
      return NOTHING;
    });
  });
  t.deepEqual(asked, files.slice(4));
  t.deepEqual(complained, ["The stick has 20 updates; the last 16 by name are looked at, 4 left out."]);
});

test("its progress is printed, then what became of it", async (t) => {
  const { printed, code } = await stick(t, ["a.raucb"], (channel) => {
    channel.handle(updateStick, () => {
      channel.notify(updateProgress, { percent: 0, step: "Checking the bundle" });
      channel.notify(updateProgress, { percent: 40, step: "Copying image to root.1" });
      channel.notify(updateProgress, { percent: 60, step: "Copying image to root.1" });
      return { ...NOTHING, installed: INSTALLED, restarts: true };
    });
  });
  t.deepEqual(printed, [
    "0 % Checking the bundle",
    "40 % Copying image to root.1",
    "0.2.0 is installed in slot B; the box restarts when no session is open.",
  ]);
  t.is(code, 0);
});

test("a refusal is a failure; what was passed over is none", async (t) => {
  const refused = await stick(t, ["a.raucb"], (channel) => {
    channel.handle(updateStick, () => ({ ...NOTHING, refused: ["the bundle is refused: x"] }));
  });
  t.deepEqual([refused.complained, refused.code], [["the bundle is refused: x"], 1]);
  const passed = await stick(t, ["a.raucb"], (channel) => {
    channel.handle(updateStick, () => ({ ...NOTHING, passed: ["it was tried and left"] }));
  });
  t.deepEqual([passed.printed, passed.code], [["it was tried and left"], 0]);
});

test("a stick without bundles is none", async (t) => {
  const { printed, code } = await stick(t, ["x.txt"], () => {});
  t.deepEqual([printed, code], [["There is no update (*.raucb) on the stick."], 0]);
});
