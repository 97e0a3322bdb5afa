import { BOX, HOSTS } from "../support/plant.ts";
import { CableBed, FORWARDED, type Kind } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

const KINDS: readonly Kind[] = ["flags", "options", "spoofed", "tunnels"];

testWith(
  "root",
  "tcpdump",
  "tshark",
  "scapy",
)("odd flags, IP options, forged sources and tunnels from a machine reach nobody in the plant", async (t) => {
  const bed = await CableBed.start(t);
  const watch = await bed.watch();
  for (const kind of KINDS) {
    t.true((await bed.send(kind, "hmi", HOSTS.historian, [4001, 22])) > 20);
    t.true((await bed.send(kind, "hmi", BOX, [802, 8443])) > 20, "nor the appliance itself");
  }
  await bed.works("afterwards");
  t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
  await bed.recorded(
    60,
    /hmi may not reach 10\.20\.0\.3 port 4001 tcp/,
    /site document does not know/,
    /IP options/,
  );
});

testWith(
  "root",
  "tcpdump",
  "tshark",
  "scapy",
)("on an allowed way, flags that open no connection and IP options stay behind", async (t) => {
  const bed = await CableBed.start(t);
  const watch = await bed.watch();
  await bed.send("options", "hmi", HOSTS.historian, [FORWARDED]);
  await bed.send("flags", "hmi", HOSTS.historian, [FORWARDED]);
  await bed.works("afterwards");
  t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
  const crossed = `eth.src == ${bed.plant.mac("box", "uplink")} && frame contains "NIACXING"`;
  t.true(watch.uplink.frames(`${crossed} && tcp.flags == 0x002`).length > 0, "a SYN opens a connection");
  t.deepEqual(
    watch.uplink.frames(`${crossed} && (!(tcp.flags == 0x002 || tcp.flags == 0x010) || ip.hdr_len > 20)`),
    [],
  );
});
