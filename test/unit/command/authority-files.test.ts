import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { crlPem, openNew, readText, writeMade } from "../../../src/command/authority-files.ts";

function directory(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), "niac-command-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test("what is written is there whole, with its mode, once", async (t) => {
  const file = join(directory(t), "out");
  const made = await writeMade(
    file,
    0o600,
    () => Promise.resolve({ text: "content\n", more: 7 }),
    ({ text }) => text,
  );
  t.is(made.more, 7);
  t.is(readFileSync(file, "utf8"), "content\n");
  t.is(statSync(file).mode & 0o777, 0o600);
});

test("what is there is never overwritten, and nothing is asked for in vain", async (t) => {
  const file = join(directory(t), "out");
  writeFileSync(file, "before");
  let asked = false;
  const make = (): Promise<string> => {
    asked = true;
    return Promise.resolve("after");
  };
  await t.throwsAsync(writeMade(file, 0o600, make, String), { code: "file", message: /is there already/ });
  t.false(asked);
  t.is(readFileSync(file, "utf8"), "before");
});

test("where what was to be written could not be had, there is no file", async (t) => {
  const file = join(directory(t), "out");
  await t.throwsAsync(
    writeMade(file, 0o600, () => Promise.reject(new Error("refused")), String),
    { message: "refused" },
  );
  t.false(existsSync(file));
});

test("a place where no file can be is told before anything is asked for", (t) => {
  const dir = directory(t);
  t.throws(() => openNew(join(dir, "none", "out"), 0o600), { message: /cannot be made \(ENOENT\)/ });
  t.throws(() => readText(join(dir, "none")), { message: /cannot be read \(ENOENT\)/ });
});

test("a list in PEM has lines of 64", (t) => {
  t.is(crlPem(Buffer.alloc(50)), `-----BEGIN X509 CRL-----\n${"A".repeat(64)}\nAAA=\n-----END X509 CRL-----`);
});
