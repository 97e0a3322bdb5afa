import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { UnavailableError, UsageError } from "../../../src/base/index.ts";
import { readKeyFile, readMachineId, readPassphraseFile } from "../../../src/seal/seal-files.ts";
import { put, scratch } from "../authority/scratch.ts";

test("a key file has 32 to 65,536 bytes", (t) => {
  const directory = scratch(t);
  for (const good of [32, 65_536]) {
    t.is(readKeyFile(put(directory, `${good}`, Buffer.alloc(good, 1))).length, good);
  }
  for (const bad of [0, 31, 65_537]) {
    const path = put(directory, `${bad}`, Buffer.alloc(bad, 1));
    const error = t.throws(() => readKeyFile(path), { instanceOf: UsageError });
    t.regex(
      error?.message ?? "",
      new RegExp(`^the key file .* has ${bad} bytes|^.* has ${bad} bytes; at most`),
    );
  }
});

test("a passphrase has 12 characters or more, and 1,024 bytes at most; its line's end does not count", (t) => {
  const directory = scratch(t);
  const read = (text: string): string => readPassphraseFile(put(directory, "passphrase", text)).toString();
  t.is(read("twelve chars"), "twelve chars");
  t.is(read("twelve chars\r\n"), "twelve chars");
  t.is(read(" twelve char\n"), " twelve char", "spaces are part of it");
  t.is(read("x".repeat(1_024)).length, 1_024);
  for (const [text, what] of [
    ["", "short"],
    ["eleven char", "short"],
    ["eleven char\n", "short"],
    ["x".repeat(1_025), "long"],
  ] as const) {
    const error = t.throws(() => read(text), { instanceOf: UsageError, code: "passphrase-length" });
    t.true(error?.message.includes(`is too ${what}: it takes 12`), error?.message);
    t.false(text !== "" && error?.message.includes(text.trim()), "the passphrase is not in the message");
  }
});

test("what is no file, is not there, or is another user's is refused", (t) => {
  const directory = scratch(t);
  const folder = join(directory, "folder");
  mkdirSync(folder, { mode: 0o700 });
  t.throws(() => readKeyFile(folder), { message: `${folder} (NIAC_KEY_FILE) is not a file` });
  const missing = join(directory, "missing");
  t.throws(() => readKeyFile(missing), { message: `${missing} (NIAC_KEY_FILE) cannot be read (ENOENT)` });
  if (process.getuid?.() === 0) {
    const foreign = put(directory, "foreign", Buffer.alloc(32));
    chownSync(foreign, 65_534, 65_534);
    t.throws(() => readKeyFile(foreign), { message: /belongs to another user \(uid 65534\)$/ });
  }
});

test("a computer's id is 32 hexadecimal digits that are not all zero", (t) => {
  const directory = scratch(t);
  const read = (text: string): string => readMachineId(put(directory, "machine-id", text));
  t.is(read(`${"a1".repeat(16)}\n`), "a1".repeat(16));
  for (const bad of ["", "uninitialized\n", "a1".repeat(15), "A1".repeat(16), "0".repeat(32)]) {
    t.throws(() => read(bad), { instanceOf: UnavailableError, code: "machine-id" }, bad);
  }
  t.throws(() => readMachineId(join(directory, "missing")), { message: /\(ENOENT\)$/ });
});

test("an id that does not outlive the next start is refused", (t) => {
  const directory = scratch(t);
  const id = put(directory, "machine-id", "a1".repeat(16));
  const mounts = (line: string): string =>
    put(directory, "mountinfo", `25 1 8:1 / / ro - ext4 /dev/root ro\n${line}\n`);
  t.throws(
    () => readMachineId(id, mounts(`90 25 0:24 /machine-id ${id} ro shared:12 - tmpfs tmpfs rw,mode=755`)),
    {
      code: "machine-id",
      message: /is made anew at each start/,
    },
  );
  t.is(readMachineId(id, mounts(`90 25 8:2 /machine-id ${id} ro - ext4 /dev/data rw`)), "a1".repeat(16));
  t.is(readMachineId(id, mounts("90 25 0:24 / /run rw shared:12 - tmpfs tmpfs rw")), "a1".repeat(16));
});
