import { Plant } from "../support/plant.ts";
import { cableSite } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

testWith("root")("netd goes when it is told to, in the middle of bringing up its ports, too", async (t) => {
  const plant = Plant.create(t);
  const box = await plant.startBox(cableSite(plant), { parts: ["control", "netd"] });
  for (let i = 0; i < 4; i++) {
    // A port that comes and goes is looked at for some hundred milliseconds.
    plant.cable("box", "uplink", "out");
    plant.cable("box", "uplink", "in");
    await new Promise((resolve) => setTimeout(resolve, 180 + i * 30));
    t.is(await box.end("netd"), 0);
    await box.run("netd");
  }
});
