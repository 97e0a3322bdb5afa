import { HOSTS } from "../support/plant.ts";
import { CableBed, type Kind } from "../support/plant-cable.ts";
import { until } from "../support/processes.ts";
import { testWith } from "../support/tools.ts";

/** The captured port, the machine's own, and one it does not have. */
const PORTS = [802, 502, 22];
const KINDS: readonly Kind[] = ["flags", "options", "spoofed", "tunnels"];
/** In the plant's network, among the forged senders, and nobody's. */
const NOBODY = "10.20.0.0";

testWith(
  "root",
  "tcpdump",
  "tshark",
  "scapy",
)("odd flags, IP options, forged sources and tunnels from the plant reach no machine", async (t) => {
  const bed = await CableBed.start(t);
  const watch = await bed.watch();
  for (const kind of KINDS) {
    const sent = await bed.send(kind, "attacker", HOSTS.press, PORTS);
    t.true(sent > 30, `${sent} frames of ${kind}`);
  }
  await bed.works("afterwards");
  // Answers to a forged sender cannot be delivered, and no error about that may come to the machine.
  const asked = (): string => bed.plant.run("box", "ip", "neigh", "show", NOBODY, "dev", "uplink");
  await until(() => asked().includes("FAILED"), "the box to find that nobody has the forged address");
  t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
  await bed.recorded(
    40,
    /only tools for scanning send/,
    /with IP options, source routes among them/,
    /with an address that cannot come from there/,
    /GRE/,
  );
});
