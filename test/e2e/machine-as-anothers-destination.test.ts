import { HOSTS, Plant } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "hping3",
  "tcpdump",
  "tshark",
)(
  "whatever a destination names, nobody on the plant's side begins a connection with its address and port",
  async (t) => {
    const plant = await Plant.start(t, (p) =>
      plantSite(p, {
        more: `
destinations:
  - { name: historian, reason: Values of the shift, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [4000] }
  - { name: beside, reason: The panel reads the press, machines: [hmi], how: forward, host: ${HOSTS.press}, ports: [4000] }`,
      }),
    );
    const behind = await plant.capture("box", "device", `dst host ${HOSTS.hmi}`);
    for (const pretended of [HOSTS.historian, HOSTS.press]) {
      const common = ["-a", pretended, "-s", "4000", "-k", "-c", "3", "-i", "u10000", HOSTS.hmi];
      await plant.result("attacker", "hping3", ["-S", "-p", "5900", ...common]);
      await plant.result("attacker", "hping3", ["-2", "-p", "161", ...common]);
    }
    await behind.stop();
    t.deepEqual(behind.frames("ip"), []);
  },
);
