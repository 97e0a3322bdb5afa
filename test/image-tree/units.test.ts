/**
 * The image's units as the image's own systemd judges them: its tools run by QEMU's user emulation on the tree of root.img, because an older systemd
 * does not know all that a newer one's units say, its own among them. Nothing is started.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { INNER } from "../../src/base/index.ts";
import { entriesOf, imageProgram, mountedRoot, ROOT, testImage, tool } from "../support/image-tree.ts";

const UNITS = "usr/lib/systemd/system";
const ANALYZE = "usr/bin/systemd-analyze";

const withTree = testImage("root", "mount");
const withSystemd = testImage("root", "mount", "qemu-aarch64-static");

/** niac's own, a template as one of its instances. */
function niacUnits(tree: string): string[] {
  return readdirSync(join(tree, UNITS))
    .filter((name) => /^(niac.*|boot-cfg|var)\.(service|socket|target|timer|path|mount)$/.test(name))
    .map((name) => name.replace("@.", "@niac-control."));
}

withSystemd("systemd finds nothing wrong with any unit, nor with what they ask for", (t) => {
  const tree = mountedRoot(t);
  const units = niacUnits(tree);
  t.true(units.length > 25, units.join());
  const checked = imageProgram(tree, ANALYZE, "verify", "--man=no", `--root=${tree}`, ...units);
  t.deepEqual(checked, { code: 0, out: "", err: "" });
  return Promise.resolve();
});

/** All that is started besides what Debian's units bring by themselves: unit, and who wants it. */
const ENABLED = {
  "multi-user.target": [
    "niac-banner.service",
    "niac-clock-set.path",
    "niac-console.service",
    "niac-restart.path",
    "niac-time-servers.path",
    "niac-time.service",
    "niac.target",
  ],
  "niac-time.service": ["niac-time-told.service"],
  "niac.target": [
    "niac-control.service",
    "niac-gateway.service",
    "niac-netd.service",
    "niac-prepared.service",
    "niac-started.service",
  ],
  "sockets.target": ["niac-captured.socket", "niac-outbound.socket", "niac-plain.socket"],
  "sysinit.target": ["niac-closed.service"],
  "timers.target": ["niac-steady.timer"],
};
const MASKED = ["ctrl-alt-del.target", "debug-shell.service"];

withTree("exactly these units are enabled, and nobody restarts or enters the box at a keyboard", (t) => {
  const tree = mountedRoot(t);
  const folder = "etc/systemd/system/";
  const enabled: Record<string, string[]> = {};
  const masked: string[] = [];
  for (const { name, stat } of entriesOf(tree)) {
    if (!name.startsWith(folder) || !stat.isSymbolicLink()) continue;
    const [by = "", unit] = name.slice(folder.length).split("/");
    if (unit === undefined) {
      t.is(readlinkSync(join(tree, name)), "/dev/null", name);
      masked.push(by);
    } else (enabled[by.replace(/\.wants$/, "")] ??= []).push(unit);
  }
  t.deepEqual(enabled, ENABLED);
  t.deepEqual(masked, MASKED);
  return Promise.resolve();
});

withTree("of Debian's units none logs anybody in or listens on the network", (t) => {
  const tree = mountedRoot(t);
  const names = readdirSync(join(tree, UNITS));
  t.deepEqual(
    names.filter((name) => /(getty|ssh|login|telnet|user@).*\.(service|socket)$/.test(name)),
    [],
  );
  const listening = names
    .filter((name) => name.endsWith(".socket"))
    .filter((name) =>
      /^Listen(Stream|Datagram)=(?!\/|%t|@|kobject)/m.test(readFileSync(join(tree, UNITS, name), "utf8")),
    );
  t.deepEqual(listening.toSorted(), ["niac-captured.socket", "niac-outbound.socket", "niac-plain.socket"]);
  return Promise.resolve();
});

const rowsSchema = z.array(z.looseObject({ name: z.string(), set: z.boolean().nullable() }));

/** Exposure as systemd adds it up, 0 to 10, and what each is left with. */
const MOST: Readonly<Record<string, number>> = {
  "niac-gateway": 1.5,
  "niac-control": 2,
  "niac-netd": 2,
  "niac-clock-set": 1.7,
  "niac-time": 2,
  "niac-time-servers": 1,
  "niac-time-told": 1,
};

withSystemd(
  "the cages of niac's processes, and of what sets the clock, are as tight as they are said to be",
  (t) => {
    const tree = mountedRoot(t);
    const security = (...words: string[]): string =>
      imageProgram(tree, ANALYZE, "security", "--offline=true", "--no-pager", `--root=${tree}`, ...words).out;
    for (const [name, most] of Object.entries(MOST)) {
      const unit = `${name}.service`;
      const told = security(unit);
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(told)?.[1] ?? NaN);
      const rows = rowsSchema.parse(JSON.parse(security("--json=short", unit)));
      t.log(
        `${unit} ${exposure}: ${rows.flatMap((row) => (row.set === false ? [row.name] : [])).join(", ")}`,
      );
      t.true(exposure <= most, `${unit}: ${exposure}, more than ${most}\n${told}`);
    }
    return Promise.resolve();
  },
);

withTree(
  "the sockets that the gateway is handed are those that the ruleset sends to, by the names it knows",
  (t) => {
    const tree = mountedRoot(t);
    for (const name of ["captured", "plain", "outbound"] as const) {
      const text = readFileSync(join(tree, UNITS, `niac-${name}.socket`), "utf8");
      for (const line of [
        `ListenStream=0.0.0.0:${INNER[name]}`,
        "Transparent=yes",
        `FileDescriptorName=${name}`,
        "Service=niac-gateway.service",
      ])
        t.true(text.split("\n").includes(line), `niac-${name}.socket: ${line}`);
    }
    return Promise.resolve();
  },
);

const withNft = testImage("root", "mount", "nft", "unshare");

// What it lets through, packet by packet, is shown in test/integration/isolation/ruleset-image.test.ts.
withNft(
  "before the first port is up a unit loads the ruleset that denies all, and nft takes it as it lies in the image",
  (t) => {
    const tree = mountedRoot(t);
    const unit = readFileSync(join(tree, UNITS, "niac-closed.service"), "utf8");
    const [, path = ""] = /^ExecStart=\S*nft -f (\S+)$/m.exec(unit) ?? [];
    t.regex(unit, /^Before=.*network-pre\.target/m);
    const rules = join(tree, path);
    t.is(readFileSync(rules, "utf8"), readFileSync(join(ROOT, "image/niac.nft"), "utf8"));
    t.deepEqual(tool("unshare", "--net", "nft", "--check", "--file", rules), { code: 0, out: "", err: "" });
    return Promise.resolve();
  },
);
