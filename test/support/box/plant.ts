/** The tests' plant (../plant.ts) with a box from the image in its middle: QEMU's two network cards are plugged where `niac up` else runs. */
import type { ChildProcess } from "node:child_process";
import { Plant } from "../plant.ts";
import type { Teardown } from "../processes.ts";
import { TAPS } from "./qemu.ts";

/** The box's own Ethernet addresses. */
export const MACS = { uplink: "52:54:00:6e:69:01", device: "52:54:00:6e:69:02" } as const;

/** The plant, and in the host `box` a tap for each port, bridged to the port's cable. */
export function plantForBox(t: Teardown): Plant {
  const plant = Plant.create(t);
  plant.run(
    "box",
    "sysctl",
    "-qw",
    "net.ipv6.conf.all.disable_ipv6=1",
    "net.ipv6.conf.default.disable_ipv6=1",
  );
  for (const [port, tap] of Object.entries(TAPS)) {
    const bridge = `br-${port}`;
    plant.ip("box", "link", "add", bridge, "type", "bridge", "mcast_snooping", "0");
    plant.ip("box", "tuntap", "add", "dev", tap, "mode", "tap");
    for (const one of [tap, port]) plant.ip("box", "link", "set", one, "master", bridge, "up");
    plant.ip("box", "link", "set", bridge, "up");
  }
  return plant;
}

/** A command on a host, its output by lines as they come. */
export function linesOf(child: ChildProcess, take: (line: string) => void): void {
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
}
