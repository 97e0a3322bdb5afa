import { fileURLToPath } from "node:url";
import test from "ava";
import { readOptions } from "../../../scripts/image.d/options.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What was read, and what was said to the reader. */
function read(...args: string[]): { options: ReturnType<typeof readOptions>; said: string } {
  let said = "";
  const before = process.exitCode;
  const options = readOptions(args, root, (text) => {
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
  ["an option that is none", ["--board", "rpi4", "--boards"], /--boards/],
] as const) {
  test(`${why} is refused, with the help`, (t) => {
    const { options, said } = read(...args);
    t.is(options, null);
    t.regex(said, says);
    t.regex(said, /usage: scripts\/image/);
  });
}
