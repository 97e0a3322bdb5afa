/** The overlays, compiled by dtc, and laid by fdtoverlay on the trees of Debian's kernel package and of QEMU: whose pins are whose then. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";
import { readList } from "../../scripts/image.d/lists.ts";
import { BOARDS, hasHeader, readBoard, usesOf, type Board } from "../../scripts/hw.d/board.ts";
import { claimedTwice, claimsOf } from "../../scripts/hw.d/claims.ts";
import {
  cells,
  everyNode,
  isEnabled,
  nodeAt,
  readTree,
  texts,
  type TreeNode,
} from "../../scripts/hw.d/fdt.ts";
import { HEADER_GPIOS, RESERVED_GPIOS } from "../../scripts/hw.d/header.ts";
import { applyOverlay, compileOverlay, treesOf } from "../../scripts/hw.d/trees.ts";
import { testWith } from "../support/tools.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HW = join(ROOT, "hw");
// Where scripts/image has left no kernel package, it is fetched as root.
const testTrees = testWith("dtc", "fdtoverlay", "mmdebstrap", "root");
const testQemu = testWith("dtc", "fdtoverlay", "qemu-system-aarch64");

interface Laid {
  readonly tree: string;
  readonly before: TreeNode;
  readonly after: TreeNode;
}

/** The board's overlay on each of its trees. */
async function laidOn(t: ExecutionContext, board: Board): Promise<Laid[]> {
  const folder = mkdtempSync(join(tmpdir(), "niac-hw-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const overlay = join(folder, "niac.dtbo");
  await compileOverlay(join(HW, board.board, board.overlay), overlay);
  const laid: Laid[] = [];
  for (const tree of await treesOf(ROOT, board)) {
    const out = join(folder, basename(tree));
    await applyOverlay(tree, overlay, out);
    laid.push({ tree, before: readTree(readFileSync(tree)), after: readTree(readFileSync(out)) });
  }
  t.true(laid.length >= 1);
  return laid;
}

for (const name of BOARDS) {
  const board = readBoard(HW, name);
  const testBoard = hasHeader(board) ? testTrees : testQemu;

  testBoard(
    `${name}: dtc has nothing to say about the overlay but that its nodes stand nowhere yet`,
    async (t) => {
      const { status, stderr } = spawnSync(
        "dtc",
        [
          "-@",
          "-W",
          "no-interrupts_property",
          "-I",
          "dts",
          "-O",
          "dtb",
          "-o",
          "/dev/null",
          join(HW, name, board.overlay),
        ],
        { encoding: "utf8" },
      );
      t.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    },
  );

  testBoard(`${name}: each pin belongs to one device, and to the one that the pin table says`, async (t) => {
    const wanted = usesOf(board).map((use) => `${use.gpio} ${use.node}`);
    for (const { tree, after } of await laidOn(t, board)) {
      const claims = claimsOf(after, board.controller.node);
      t.deepEqual(claimedTwice(claims), [], tree);
      const header = claims.filter(
        ({ gpio }) => gpio < HEADER_GPIOS && !(hasHeader(board) && RESERVED_GPIOS.has(gpio)),
      );
      const found = [...new Set(header.map(({ gpio, node }) => `${gpio} ${node}`))];
      // A device is told by the end of its path.
      const asWanted = found.map((one) => wanted.find((use) => endsLike(one, use)) ?? one);
      t.deepEqual(asWanted.toSorted(), wanted.toSorted(), tree);
    }
  });

  testBoard(`${name}: lamps and contacts are named as niac looks for them`, async (t) => {
    for (const { after } of await laidOn(t, board)) {
      const lamps = nodeAt(after, "/niac-leds")?.children ?? [];
      t.deepEqual(lamps.flatMap((lamp) => texts(lamp, "label")).toSorted(), [
        "niac:amber:refused",
        "niac:blue:session",
        "niac:green:power",
        "niac:green:protected",
        "niac:red:fault",
      ]);
      const panel = nodeAt(after, "/niac-panel");
      t.deepEqual(panel && texts(panel, "label"), ["niac-panel"]);
      const events = panel?.children.map(
        (one) =>
          `${one.name} ${[...cells(one, "linux,input-type"), ...cells(one, "linux,code")].map((word) => word.toString(16)).join(" ")}`,
      );
      t.deepEqual(events?.toSorted(), [
        "console-switch 1 2c2",
        "cover-switch 5 10",
        "key-switch 1 2c0",
        "panel-button 1 2c1",
      ]);
      // Tied to 0 V each reports 1: the cover's closed contact too. What is simulated has no wire, and its cover is shut at rest.
      const lines = panel?.children.map((one) => `${one.name} ${cells(one, "gpios").at(-1)?.toString(16)}`);
      t.deepEqual(lines?.toSorted(), [
        "console-switch 11",
        `cover-switch ${hasHeader(board) ? "11" : "21"}`,
        "key-switch 11",
        "panel-button 11",
      ]);
    }
  });

  testTrees(
    `${name}: what the overlay adds has a driver in the kernel, built in or among the image's modules`,
    async (t) => {
      for (const { tree, before, after } of await laidOn(t, board)) {
        const added = [...everyNode(after)].filter(
          (node) => isEnabled(node) && nodeAt(before, node.path) === undefined,
        );
        const drivers = driversOf(
          hasHeader(board) ? tree : ((await treesOf(ROOT, readBoard(HW, "rpi4")))[0] ?? ""),
        );
        for (const node of added) {
          const compatible = texts(node, "compatible");
          if (compatible.length > 0)
            t.true(compatible.some(drivers), `${node.path}: ${compatible.join(", ")}`);
        }
      }
    },
  );
}

for (const [name, radios] of [
  ["rpi4", ["bt", "sdhci"]],
  ["rpi5", ["uarta", "sdio2"]],
] as const) {
  testTrees(`${name}: a TPM, a clock and an RS-485 line are there, and the radios are off`, async (t) => {
    for (const { tree, before, after } of await laidOn(t, readBoard(HW, name))) {
      const enabled = [...everyNode(after)].filter(isEnabled);
      const [tpm, ...moreTpms] = enabled.filter((node) =>
        texts(node, "compatible").includes("tcg,tpm_tis-spi"),
      );
      t.deepEqual(tpm && [texts(tpm, "compatible")[0], cells(tpm, "reg")], ["infineon,slb9670", [0]]);
      t.is(moreTpms.length, 0);
      const [clock, ...moreClocks] = enabled.filter(
        (node) => node.name.startsWith("rtc@") || texts(node, "compatible").includes("maxim,ds3231"),
      );
      t.deepEqual(clock && [texts(clock, "compatible"), cells(clock, "reg")], [["maxim,ds3231"], [0x68]]);
      t.is(moreClocks.length, 0, `${tree}: ${moreClocks.map(({ path }) => path).join(" ")}`);
      const [line, ...moreLines] = enabled.filter((node) =>
        node.properties.has("linux,rs485-enabled-at-boot-time"),
      );
      t.true(line !== undefined && texts(line, "compatible").includes("arm,pl011"));
      // The transceiver sends while its line is high.
      t.false(line?.properties.has("rs485-rts-active-low"));
      t.is(moreLines.length, 0);
      const aliases = nodeAt(after, "/aliases");
      t.deepEqual(aliases && texts(aliases, "serial0"), [line?.path ?? ""]);
      t.deepEqual(aliases && texts(aliases, "rtc0"), [clock?.path ?? ""]);
      for (const radio of radios) {
        const symbols = nodeAt(before, "/__symbols__");
        const [path = ""] = symbols === undefined ? [] : texts(symbols, radio);
        const node = nodeAt(after, path);
        t.true(path !== "" && node !== undefined && !isEnabled(node), `${tree} ${radio}`);
      }
    }
  });
}

testTrees("rpi4: the console is UART5, and nothing else is on its pins", async (t) => {
  for (const { after } of await laidOn(t, readBoard(HW, "rpi4"))) {
    const [aliases, chosen] = [nodeAt(after, "/aliases"), nodeAt(after, "/chosen")];
    t.deepEqual(aliases && texts(aliases, "serial5"), ["/soc/serial@7e201a00"]);
    t.deepEqual(chosen && texts(chosen, "stdout-path"), ["serial5:115200n8"]);
    const mini = nodeAt(after, "/soc/serial@7e215040");
    t.true(mini !== undefined && !isEnabled(mini));
  }
});

function endsLike(found: string, wanted: string): boolean {
  const [gpio, path = ""] = found.split(" ");
  const [wantedGpio, end = ""] = wanted.split(" ");
  return gpio === wantedGpio && path.endsWith(`/${end}`);
}

/** Whether the kernel beside these trees drives what says it is compatible to this: built in, or by a module that image/modules names. */
function driversOf(tree: string): (compatible: string) => boolean {
  const modules = dirname(dirname(dirname(tree)));
  const read = (file: string): string => readFileSync(join(modules, file), "utf8");
  const inImage = new Set(readList(join(ROOT, "image/modules")).map((one) => one.replaceAll("-", "_")));
  const loadable = read("modules.alias");
  const builtIn = read("modules.builtin.modinfo").split("\0");
  return (compatible) => {
    // A PL011 hangs on the AMBA bus, which goes by the cell's number and not by name.
    if (compatible === "arm,primecell") return read("modules.builtin").includes("/amba-pl011.ko");
    const alias = `of:N*T*C${compatible}`;
    if (builtIn.some((entry) => entry.endsWith(`.alias=${alias}`))) return true;
    return loadable
      .split("\n")
      .filter((line) => line.startsWith(`alias ${alias} `))
      .some((line) => inImage.has(line.slice(`alias ${alias} `.length)));
  };
}
