import { parseSite } from "../../src/site/index.ts";
import { Plant, says } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

const MACHINE = new URL("../support/pymodbus_machine.py", import.meta.url).pathname;

testWith("root", "pymodbus")(
  "a machine that the site document does not know is found, asked what it is, and printed to paste",
  async (t) => {
    const plant = await Plant.start(t, (p) => plantSite(p));
    plant.plug("stranger", "eth0", "machines", "10.20.0.77/24");
    await says(plant.spawn("stranger", "/usr/bin/python3", [MACHINE, "502", "0.0.0.0"]), "ready");
    const mac = plant.mac("stranger");

    const { out, err, code } = await plant.box.niac("discover", "10.20.0.64/27");
    t.is(code, 0, err);
    t.regex(out, new RegExp(`10\\.20\\.0\\.77 +${mac} .* unknown: gets nothing +Modbus; ports 502`));
    const piece = out.slice(out.indexOf("machines:") + "machines:\n".length);
    const pasted = plantSite(plant).replace("machines:\n", `machines:\n${piece}`);
    const { snapshot } = parseSite(pasted, "pasted");
    t.like(
      snapshot?.machines.find(({ name }) => name === "machine-10-20-0-77"),
      { address: "10.20.0.77", mac },
    );

    const [seen] = await plant.box.recorded(1, "kind=network", "since=1h");
    t.truthy(seen);
    const asked = await plant.box.recorded(1, "kind=admin");
    t.is(asked.length, 1, "who asked is on record");
    t.is(await plant.dial("stranger", "10.20.0.3", 4000, 1_000), "silent", "and it still gets nothing");
  },
);
