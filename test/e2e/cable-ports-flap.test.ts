import { statusShow } from "../../src/link/index.ts";
import { BOX, HOSTS } from "../support/plant.ts";
import { CableBed } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

const FLAPS = 10;
/** In the words of tshark. */
const UNREACHABLE = "Destination unreachable (Host unreachable)";

testWith(
  "root",
  "tcpdump",
  "tshark",
)(
  "cables that come and go, and ports that are set down, leave everything as it was, and a short record",
  async (t) => {
    const bed = await CableBed.start(t);
    const { plant } = bed;
    const pinned = bed.pinned();
    const watch = await bed.watch();
    const ports = async (state: string): Promise<void> => {
      await plant.box.until(async () => {
        const { network } = await plant.box.ask(statusShow, null);
        return network?.ports.every((port) => port.state === state) ?? false;
      }, `both ports to be ${state}`);
    };
    for (let i = 0; i < FLAPS; i++) {
      for (const state of ["out", "in"] as const) {
        for (const port of ["uplink", "device"]) plant.cable("box", port, state);
        // Half of the time before anybody could see it.
        if (i % 2 === 1) await ports(state === "in" ? "up" : "down");
      }
    }
    await bed.worksAgain("once the cables are in");

    const seen = plant.box.log.length;
    for (const port of ["uplink", "device"]) plant.ip("box", "link", "set", port, "down");
    // netd sets them up again by itself; how long they are down is not for the test to say.
    for (const port of ["uplink", "device"]) await plant.box.logged(`${port} is no longer listened to`, seen);
    for (const port of ["uplink", "device"]) plant.ip("box", "link", "set", port, "up");
    await bed.worksAgain("once the ports are up");
    t.deepEqual(bed.pinned(), pinned);
    const crossed = await watch.crossed();
    t.deepEqual(crossed.machines, []);
    // The end of a connection that comes while a port is down: the box itself says so to the historian, as routers do.
    const toHistorian = `${BOX} → ${HOSTS.historian} `;
    t.deepEqual(
      crossed.plant.filter((frame) => !(frame.includes(toHistorian) && frame.endsWith(UNREACHABLE))),
      [],
    );
    await bed.recorded(
      20,
      /the uplink \(uplink\) is down, it was up/,
      /the device port \(device\) is up, it was down/,
    );
  },
);
