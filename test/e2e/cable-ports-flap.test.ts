import { CableBed } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

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
    const { machines, plant: uplink } = await watch.crossed();
    // The end of a connection, for instance, that comes while a port is down: the box says so to its sender, as routers do.
    const crossed = [...machines, ...uplink].filter(
      (frame) => !/ICMP .*Destination unreachable \((Host|Network) unreachable\)$/.test(frame),
    );
    t.deepEqual(crossed, []);
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
