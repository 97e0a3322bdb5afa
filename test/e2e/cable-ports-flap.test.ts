import { BOX, HOSTS } from "../support/plant.ts";
import { CableBed } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

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
    for (let i = 0; i < 10; i++) {
      for (const state of ["out", "in"] as const) {
        for (const port of ["uplink", "device"]) plant.cable("box", port, state);
        await pause(i * 60);
      }
    }
    await bed.worksAgain("once the cables are in");

    for (const port of ["uplink", "device"]) plant.ip("box", "link", "set", port, "down");
    await pause(100);
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
    const records = await plant.box.records("kind=network");
    const says = (words: string): boolean => records.some(({ reason }) => reason?.includes(words));
    t.true(says("the uplink (uplink) is down, it was up"));
    t.true(says("the device port (device) is up, it was down"));
    t.true(records.length <= 20, `${records.length} records`);
  },
);

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
