import test from "ava";
import { PARTITIONS, sizeOf } from "../../../scripts/image.d/disk.ts";
import { moduleClosure } from "../../../scripts/image.d/kernel.ts";
import { listOf } from "../../../scripts/image.d/lists.ts";
import { mirrorOf, sourceLine, urisOf } from "../../../scripts/image.d/mirror.ts";
import type { Deb } from "../../../scripts/image.d/debs.ts";
import { lockDifferences, lockText, newerKernels } from "../../../scripts/image.d/lock.ts";
import { pinned } from "../../../scripts/image.d/packages.ts";

const deb = (name: string, version: string, sha256 = "00"): Deb => ({
  package: name,
  version,
  sha256,
  architecture: "arm64",
  source: name,
  sourceVersion: version,
  depends: "",
  provides: "",
});

test("a list is a thing a line, without comments and empty lines", (t) => {
  t.deepEqual(listOf("# head\n\nbash  # the shell\n  dash\n"), ["bash", "dash"]);
});

test("mirrors are found in both of apt's forms", (t) => {
  t.deepEqual(
    urisOf([
      "Types: deb\nURIs: http://mirror.example/debian http://other.example/debian\nSuites: bookworm\n",
      "# deb http://old.example/debian x main\ndeb [signed-by=/k.gpg arch=arm64] https://mirror.example/debian-security trixie main\ndeb-src https://src.example/debian trixie main\n",
      "deb cdrom:[Debian]/ trixie main\n",
    ]),
    ["http://mirror.example/debian", "http://other.example/debian", "https://mirror.example/debian-security"],
  );
});

test("packages that are the lock's differ in nothing", (t) => {
  const debs = [deb("bash", "5.2", "aa"), deb("dash", "0.5", "bb")];
  t.deepEqual(lockDifferences(lockText(debs), debs), []);
});

test("a package that is new, gone, newer or of another content is named", (t) => {
  const lock = lockText([deb("a", "1"), deb("b", "1"), deb("c", "1", "11"), deb("gone", "1")]);
  const now = [deb("a", "1"), deb("b", "2"), deb("c", "1", "22"), deb("new", "3")];
  t.deepEqual(lockDifferences(lock, now), [
    "b 1 -> 2",
    "c 1 has another content",
    "new 3 is new",
    "gone is gone",
  ]);
});

const DEP =
  "kernel/a.ko.xz: kernel/b.ko.xz kernel/c_d.ko.xz\nkernel/b.ko.xz:\nkernel/c_d.ko.xz:\nkernel/e.ko.xz:\n";

test("a module brings what it needs, and nothing else", (t) => {
  t.deepEqual(moduleClosure(["a"], DEP, "kernel/built-in.ko\n"), [
    "kernel/a.ko.xz",
    "kernel/b.ko.xz",
    "kernel/c_d.ko.xz",
  ]);
});

test("a module's name is the same with - and _, and one that is built in is passed over", (t) => {
  t.deepEqual(moduleClosure(["c-d", "built_in"], DEP, "kernel/built-in.ko\n"), ["kernel/c_d.ko.xz"]);
});

test("a module that the kernel has not stops the build, by name", (t) => {
  t.throws(() => moduleClosure(["nft_nothing"], DEP, ""), {
    message: "the kernel has no module nft_nothing",
  });
});

test("the disk has a pair of each slot, of one size", (t) => {
  t.deepEqual(
    PARTITIONS.map(({ name }) => name),
    ["bootcfg", "boot_a", "boot_b", "root_a", "root_b", "data"],
  );
  t.is(sizeOf("boot_a"), sizeOf("boot_b"));
  t.is(sizeOf("root_a"), sizeOf("root_b"));
});

test("what is asked of testing by name comes from there, and what it depends on does not", (t) => {
  const { include, pins } = pinned(["rauc/forky", "bash", "linux-binary-7/trixie-backports"]);
  t.deepEqual(include, ["rauc", "bash", "linux-binary-7/trixie-backports"]);
  t.deepEqual(pins.split("\n\n"), [
    "Package: *\nPin: release n=forky\nPin-Priority: 1\n".trimEnd(),
    "Package: rauc\nPin: release n=forky\nPin-Priority: 990\n",
  ]);
  t.notRegex(pinned(["bash"]).pins, /990/);
});

test("dates of an archive that is named, and of testing, may have run out; apt's own mirror's may not", (t) => {
  const own = { main: "http://m.example/debian", security: "http://s.example/debian-security", given: false };
  t.is(sourceLine(own, "main", "trixie"), "deb http://m.example/debian trixie main\n");
  t.is(
    sourceLine(own, "security", "trixie-security", "main x"),
    "deb http://s.example/debian-security trixie-security main x\n",
  );
  t.regex(sourceLine(own, "main", "forky"), /^deb \[check-valid-until=no\] /);
  const named = { NIAC_MIRROR: "http://archive.example/1", NIAC_SECURITY_MIRROR: "http://archive.example/2" };
  t.regex(
    sourceLine(mirrorOf(named, "/nowhere"), "security", "trixie-security"),
    /^deb \[check-valid-until=no\] http:\/\/archive.example\/2 /,
  );
});

test("a newer kernel is known by its number, whatever else there is", (t) => {
  const known = ["7.3.4", "7.3.12", "7.4.1", "6.12.50"].map((one) => `linux-binary-${one}+deb13-arm64`);
  t.deepEqual(newerKernels(known[0] ?? "", [...known, "linux-binary-7.9.9+deb13-amd64", "linux-binary-x"]), [
    "linux-binary-7.4.1+deb13-arm64",
    "linux-binary-7.3.12+deb13-arm64",
  ]);
  t.deepEqual(newerKernels(known[2] ?? "", known), []);
});
