import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";
import { Appliance, type ApplianceOptions } from "../support/appliance.ts";
import { pressSite } from "../support/sites.ts";
import { mbpoll, PymodbusMachine, stunnel, testWith } from "../support/tools.ts";

const NOBODY = 65_534;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** It says why it is not in the cable, and serves its own addresses all the same. */
async function serves(t: ExecutionContext, why: RegExp, options: Partial<ApplianceOptions>): Promise<void> {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, {
    site: pressSite(machine.port),
    environment: { NIAC_UPLINK: "uplink", NIAC_DEVICE_PORT: "device" },
    ...options,
  });
  t.regex(bed.log, why);
  t.regex(bed.log, /niac does not stand in the cable: it runs as a gateway on its own addresses/);
  t.notRegex(bed.log, /netd started/);
  const status = await bed.niac("status");
  t.regex(status.out, /^cable +not in it: a proxy on its own addresses$/m, status.err);

  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const port = await stunnel(t, bed, { credential });
  t.deepEqual((await mbpoll(port, { address: 40, count: 2 })).values, [40, 41]);
}

testWith(
  "root",
  "stunnel4",
  "mbpoll",
  "pymodbus",
)("without root niac says that it does not stand in the cable, and is a gateway on its own addresses", (t) =>
  serves(t, /standing in the cable takes root/, { user: NOBODY }),
);

testWith(
  "stunnel4",
  "mbpoll",
  "pymodbus",
)("without its network addon niac says so, and is a gateway on its own addresses", async (t) => {
  // The program as it is, where nothing was built.
  const dir = mkdtempSync(join(tmpdir(), "niac-unbuilt-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  for (const part of ["src", "package.json"]) cpSync(join(ROOT, part), join(dir, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  const why = process.getuid?.() === 0 ? /the network addon is not built/ : /takes root/;
  await serves(t, why, { main: join(dir, "src", "main.ts") });
});
