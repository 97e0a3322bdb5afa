import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AuthorityBed } from "../support/authority-bed.ts";
import { pressSite } from "../support/sites.ts";
import { SoftwareTpm } from "../support/swtpm.ts";
import { freePort } from "../support/ports.ts";
import { testWith } from "../support/tools.ts";

testWith("swtpm", "/usr/bin/tpm2")(
  "an authority's keys move into a TPM that is added, and are of no use without it",
  async (t) => {
    const tpm = await SoftwareTpm.start(t);
    const bed = await AuthorityBed.start(t, { site: pressSite(await freePort()) });
    const { appliance } = bed;
    const keyring = (): string =>
      readFileSync(join(appliance.environment["NIAC_STATE_DIR"] ?? "", "keyring.json"), "utf8");
    await bed.laptop("alice");
    const before = keyring();
    t.regex(before, /machine/);

    await appliance.stop();
    appliance.environment["NIAC_TPM"] = tpm.tcti;
    await appliance.run("up");
    await bed.laptop("bob");
    t.is(keyring(), before, "what is sealed stays as it is until somebody says so");
    const resealed = await appliance.niac("authority", "reseal");
    t.is(resealed.code, 0, resealed.err);
    t.regex(resealed.out, /TPM/);
    t.not(keyring(), before);
    await bed.laptop("carol");

    await appliance.stop();
    await appliance.run("up");
    await bed.laptop("dave");

    await appliance.stop();
    await tpm.off();
    appliance.launch("up");
    await appliance.logged("control is ready", appliance.log.length);
    const refused = await t.throwsAsync(() => bed.laptop("erin"));
    t.regex(refused?.message ?? "", /TPM/);
  },
);
