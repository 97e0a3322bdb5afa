import { Plant } from "../support/plant.ts";
import { cableSite } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

/** What netd says as it begins to bring up its ports; null: it is told to stop while the port's change waits to be looked at. */
const MOMENTS = ["is down, it was up", "is up, it was down", null, null] as const;

testWith("root")("netd goes when it is told to, in the middle of bringing up its ports, too", async (t) => {
  const plant = Plant.create(t);
  const box = await plant.startBox(cableSite(plant), { parts: ["control", "netd"] });
  for (const moment of MOMENTS) {
    const seen = box.log.length;
    plant.cable("box", "uplink", "out");
    if (moment !== null) await box.logged("the uplink (uplink) is down, it was up", seen);
    if (moment !== MOMENTS[0]) plant.cable("box", "uplink", "in");
    if (moment !== null) await box.logged(`the uplink (uplink) ${moment}`, seen);
    t.is(await box.end("netd"), 0, moment ?? "at once");
    plant.cable("box", "uplink", "in");
    await box.run("netd");
  }
});
