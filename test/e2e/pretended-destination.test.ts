import { HOSTS, Plant } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

function way(name: string, host: string): string {
  return `  - { name: ${name}, reason: Values of the shift, machines: [hmi], how: forward, host: ${host}, ports: [4000] }`;
}

testWith(
  "root",
  "hping3",
  "tcpdump",
  "tshark",
)(
  "nobody on the plant's side begins a connection with a destination's address and port, and no machine is a destination",
  async (t) => {
    const forwarded = `destinations:\n${way("historian", HOSTS.historian)}\n`;
    const plant = await Plant.start(t, (p) => plantSite(p, { more: forwarded }));
    const behind = await plant.capture("box", "device", `dst host ${HOSTS.hmi}`);
    for (const pretended of [HOSTS.historian, HOSTS.press]) {
      const common = ["-a", pretended, "-s", "4000", "-k", "-c", "3", "-i", "u10000", HOSTS.hmi];
      await plant.result("attacker", "hping3", ["-S", "-p", "5900", ...common]);
      await plant.result("attacker", "hping3", ["-2", "-p", "161", ...common]);
    }
    await behind.stop();
    t.deepEqual(behind.frames("ip"), []);

    const { code, err } = await plant.box.tryApply(
      plantSite(plant, { more: `${forwarded}${way("beside", HOSTS.press)}` }),
    );
    t.is(code, 1);
    t.regex(err, /10\.20\.0\.12 is press's own: machines reach each other without the appliance/);
  },
);
