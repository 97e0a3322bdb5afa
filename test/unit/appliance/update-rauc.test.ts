/** What RAUC 1.13 says through busctl (systemd 252), as it was written down. */
import test from "ava";
import { UnavailableError } from "../../../src/base/index.ts";
import { readBundle, readPrimary, readProgress, readSlots } from "../../../src/appliance/update-rauc.ts";
import { readUnits } from "../../../src/appliance/update-units.ts";

const HASH = "34eda986a739b47775be6190b72df5e6dfb161f37c4389a25c842cf69c675a8a";
const INSPECTED = `{"type":"a{sv}","data":[{"update":{"type":"v","data":{"type":"a{sv}","data":{"version":{"type":"s","data":"0.2.0"},"compatible":{"type":"s","data":"niac-qemu-arm64"},"description":{"type":"s","data":"niac 0.2.0"},"build":{"type":"s","data":"abc"}}}},"images":{"type":"v","data":{"type":"aa{sv}","data":[{"slot-class":{"type":"s","data":"root"},"filename":{"type":"s","data":"root.img"},"checksum":{"type":"s","data":"8c5c"},"size":{"type":"t","data":3000000},"hooks":{"type":"as","data":[]}},{"slot-class":{"type":"s","data":"boot"},"filename":{"type":"s","data":"boot.vfat"},"hooks":{"type":"as","data":[]}}]}},"manifest-hash":{"type":"s","data":"${HASH}"},"bundle":{"type":"v","data":{"type":"a{sv}","data":{"format":{"type":"s","data":"verity"},"verity-size":{"type":"t","data":28672}}}},"meta":{"type":"v","data":{"type":"a{sa{ss}}","data":{}}}}]}`;

test("what a bundle says of itself", (t) => {
  t.deepEqual(readBundle(INSPECTED), {
    version: "0.2.0",
    compatible: "niac-qemu-arm64",
    hash: HASH,
    description: "niac 0.2.0",
    slots: ["root", "boot"],
  });
});

test("a bundle without a description has an empty one; without a version it is none", (t) => {
  t.is(readBundle(INSPECTED.replace(/"description":\{[^}]*\},/, "")).description, "");
  t.throws(() => readBundle(INSPECTED.replace(/"version":\{[^}]*\},/, "")), {
    instanceOf: UnavailableError,
    code: "rauc-answer",
  });
});

function lines(operation: string, progress: string, error: string): string {
  return `{"type":"s","data":"${operation}"}\n{"type":"(isi)","data":${progress}}\n{"type":"s","data":"${error}"}\n`;
}

test("how far an installation is, and why the last one failed", (t) => {
  t.deepEqual(readProgress(lines("installing", '[20,"Checking bundle done.",2]', "")), {
    busy: true,
    percent: 20,
    step: "Checking bundle done.",
    error: "",
  });
  t.like(readProgress(lines("idle", '[100,"Installing failed.",1]', String.raw`Failed to open \"x\"`)), {
    busy: false,
    error: 'Failed to open "x"',
  });
  for (const text of ["", "{}", lines("idle", '["20","",2]', "")])
    t.throws(() => readProgress(text), { code: "rauc-answer" }, text);
});

const SLOTS = `{"type":"a(sa{sv})","data":[[["root.1",{"class":{"type":"s","data":"root"},"boot-status":{"type":"s","data":"bad"},"bootname":{"type":"s","data":"B"},"state":{"type":"s","data":"inactive"},"status":{"type":"s","data":"ok"},"bundle.version":{"type":"s","data":"0.2.0"},"bundle.hash":{"type":"s","data":"${HASH}"},"installed.transaction":{"type":"s","data":"one"}}],["boot.1",{"class":{"type":"s","data":"boot"},"parent":{"type":"s","data":"root.1"},"state":{"type":"s","data":"inactive"},"status":{"type":"s","data":"pending"},"bundle.version":{"type":"s","data":"0.1.0"},"installed.transaction":{"type":"s","data":"zero"}}],["root.0",{"class":{"type":"s","data":"root"},"bootname":{"type":"s","data":"A"},"state":{"type":"s","data":"booted"}}]]]}`;

test("what is in a slot counts where RAUC wrote it whole", (t) => {
  const nothing = { version: null, hash: null, transaction: null };
  t.deepEqual(readSlots(SLOTS), [
    { name: "root.1", slot: "B", parent: null, version: "0.2.0", hash: HASH, transaction: "one" },
    { name: "boot.1", slot: null, parent: "root.1", ...nothing },
    { name: "root.0", slot: "A", parent: null, ...nothing },
  ]);
});

test("the slot that starts by default", (t) => {
  t.is(readPrimary('{"type":"s","data":["root.0"]}'), "root.0");
  t.throws(() => readPrimary("root.0"), { code: "rauc-answer" });
});

test("failed units by name; a stick that could not be read is none of them", (t) => {
  const text =
    "niac-gateway.service loaded failed failed niac gateway\n  niac-usb@sda1.service loaded failed failed x\n\n";
  t.deepEqual(readUnits(text), ["niac-gateway.service"]);
  t.deepEqual(readUnits(""), []);
});
