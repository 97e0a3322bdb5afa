import { fileURLToPath } from "node:url";
import test from "ava";
import { readOptions } from "../../../scripts/image.d/options.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What was read, and what was said to the reader. */
function read(...args: string[]): { options: ReturnType<typeof readOptions>; said: string } {
  let said = "";
  const before = process.exitCode;
  const options = readOptions(args, { root, from: "/somewhere" }, (text) => {
    said += text;
  });
  process.exitCode = before;
  return { options, said };
}

test("a board is enough: the version is the project's", (t) => {
  const { options, said } = read("--board", "rpi4");
  t.is(said, "");
  t.is(options?.board, "rpi4");
  t.regex(options?.version ?? "", /^\d+\.\d+\.\d+$/);
  t.is(options?.signing, null);
});

for (const [why, args, says] of [
  ["no board", [], /--board takes one of qemu-arm64, rpi4, rpi5/],
  ["a board that nobody made", ["--board", "toaster"], /--board takes one of/],
  ["a version that RAUC could not compare", ["--board", "rpi4", "--release", "v2"], /takes a version like/],
  ["half a signing key", ["--board", "rpi4", "--signing-key", "k.pem"], /go together/],
  ["a lock that is held and written", ["--board", "rpi4", "--locked", "--update-lock"], /one of the two/],
  ["an option that is none", ["--board", "rpi4", "--boards"], /--boards/],
] as const) {
  test(`${why} is refused, with the help`, (t) => {
    const { options, said } = read(...args);
    t.is(options, null);
    t.regex(said, says);
    t.regex(said, /usage: scripts\/image/);
  });
}

test("paths belong to where they were typed; a key in a token is none", (t) => {
  const signing = ["--signing-cert", "a.pem", "--signing-keyring", "/b.pem", "--signing-key"];
  const { options } = read("--board", "rpi4", "--out", "../made", ...signing, "pkcs11:token=t;object=k");
  t.is(options?.out, "/made");
  t.deepEqual(options?.signing, {
    certificate: "/somewhere/a.pem",
    keyring: "/b.pem",
    key: "pkcs11:token=t;object=k",
  });
  t.is(read("--board", "rpi4", ...signing, "k.pem").options?.signing?.key, "/somewhere/k.pem");
});
