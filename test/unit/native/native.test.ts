import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { loadNative, type Native } from "../../../src/native/index.ts";

/** A test that needs the addon, or its skip with the reason in the title. */
function testNative(
  title: string,
  implementation: (t: ExecutionContext, native: Native) => void | Promise<void>,
): void {
  const loaded = loadNative();
  if ("native" in loaded) test(title, (t) => implementation(t, loaded.native));
  else test.skip(`${title} (${loaded.problem})`, ignore);
}

const ignore = (): void => {};
const NONE = Buffer.alloc(0);
/** A descriptor that no process has. */
const NOT_OPEN = 2_147_483_647;

testNative("an argument that is not what it must be is refused, and the message names it", (t, native) => {
  /** Calls as JavaScript could, whatever the types say. */
  const call = (name: keyof Native, ...values: unknown[]): unknown =>
    Reflect.apply(native[name], native, values);
  const wrong: Array<[names: string, name: keyof Native, ...values: unknown[]]> = [
    ["name", "openTun"],
    ["name", "openTun", ""],
    ["name", "openTun", 7],
    ["name", "openTun", "sixteen-letters-"],
    ["name", "openTun", "thirteen-abcd€"],
    ["name", "openTun", "tun%d"],
    ["name", "openTun", "a/b"],
    ["name", "openTun", "a b"],
    ["name", "openTun", "lo\0"],
    ["name", "openPacket", null, NONE],
    ["filter", "openPacket", "lo"],
    ["filter", "openPacket", "lo", "text"],
    ["filter", "openPacket", "lo", Buffer.alloc(7)],
    ["filter", "openPacket", "lo", Buffer.alloc(4_097 * 8)],
    ["fd", "setFilter", "3", NONE],
    ["filter", "setFilter", 3, undefined],
    ["fd", "packetDrops", -1],
    ["fd", "packetDrops", 1.5],
    ["fd", "packetDrops", Number.NaN],
    ["fd", "packetDrops", 2 ** 31],
    ["fd", "packetDrops", 3n],
    ["fd", "watch", {}, 1, ignore, ignore],
    ["perTurn", "watch", 3, 0, ignore, ignore],
    ["perTurn", "watch", 3, 1_025, ignore, ignore],
    ["onPackets", "watch", 3, 1, null, ignore],
    ["onError", "watch", 3, 1, ignore],
    ["fd", "write", undefined, NONE],
    ["packet", "write", 3, "text"],
    ["address", "listenTransparent", "::1", 802, 16],
    ["address", "listenTransparent", "1.2.3", 802, 16],
    ["address", "listenTransparent", "1.2.3.256", 802, 16],
    ["address", "listenTransparent", "plc-4", 802, 16],
    ["port", "listenTransparent", "127.0.0.1", 65_536, 16],
    ["backlog", "listenTransparent", "127.0.0.1", 802, 0],
    ["fd", "closeFd", null],
    ["path", "notify", "", "READY=1"],
    ["path", "notify", "relative", "READY=1"],
    ["path", "notify", `/${"x".repeat(107)}`, "READY=1"],
    ["text", "notify", "/run/notify", ""],
    ["text", "notify", "/run/notify", "x".repeat(1_024)],
    ["text", "notify", "/run/notify", "READY=1\0"],
  ];
  for (const [names, name, ...values] of wrong) {
    const error = t.throws(
      () => call(name, ...values),
      { instanceOf: TypeError, code: "ERR_INVALID_ARG_VALUE" },
      `${name} ${String(values)}`,
    );
    t.true(error?.message.startsWith(`${names} must be `), `${name}: ${error?.message}`);
  }
});

testNative("a descriptor that is not open is EBADF in every function", (t, native) => {
  const calls: Array<[syscall: string, call: () => unknown]> = [
    ["close", () => native.closeFd(NOT_OPEN)],
    ["write", () => native.write(NOT_OPEN, Buffer.alloc(1))],
    ["setsockopt", () => native.setFilter(NOT_OPEN, NONE)],
    ["getsockopt", () => native.packetDrops(NOT_OPEN)],
    ["watch", () => native.watch(NOT_OPEN, 1, ignore, ignore)],
  ];
  for (const [syscall, call] of calls) {
    const error = t.throws(call, { code: "EBADF" }, syscall);
    t.like(error, { errno: -9, syscall, message: `EBADF: bad file descriptor, ${syscall}` });
  }
});

testNative(
  "what is neither a TUN device nor a packet socket is not watched, and stays open",
  async (t, native) => {
    const directory = mkdtempSync(join(tmpdir(), "niac-native-"));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const file = openSync(join(directory, "file"), "w");
    t.throws(() => native.watch(file, 1, ignore, ignore), { code: "EINVAL" });
    t.notThrows(() => closeSync(file));
    const zero = openSync("/dev/zero", "r");
    t.throws(() => native.watch(zero, 1, ignore, ignore), { code: "EINVAL" });
    native.closeFd(zero);
    t.throws(() => native.closeFd(zero), { code: "EBADF" });
  },
);

test("an addon that is missing, no addon or another's is a problem in words, and not an exception", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "niac-native-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const text = join(directory, "text.node");
  writeFileSync(text, "globalThis.ran = true;");
  const other = new URL(
    `../../../node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`,
    import.meta.url,
  ).pathname;
  const problems: Array<[file: string, problem: RegExp]> = [
    [join(directory, "missing.node"), /is not built: .*missing\.node is missing/],
    [text, /cannot be loaded: .*text\.node/],
    [other, /is another version's: .* lacks a function/],
  ];
  for (const [file, problem] of problems) {
    const loaded = loadNative(file);
    t.regex("problem" in loaded ? loaded.problem : "it was loaded", problem);
  }
  t.false("ran" in globalThis);
});
