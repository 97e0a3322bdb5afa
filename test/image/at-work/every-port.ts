/** All 65,535 ports of the box, which takes a minute; what the first start looks at are those that something hears. */
import { openPorts, OWN_PORTS } from "../../support/box/scan.ts";
import { secondsSince, type Check } from "../../support/box/shared.ts";
import type { UpdateBed } from "../../support/box/update-bed.ts";
import { BOX } from "../../support/plant.ts";

export function everyPort(check: Check<UpdateBed>): void {
  check("whoever scans all ports of the box finds niac's own", async (t, { bed }) => {
    const began = Date.now();
    t.deepEqual(await openPorts(bed.plant, "attacker", BOX, "-"), OWN_PORTS);
    t.log(`all 65,535 ports in ${secondsSince(began)}`);
  });
}
