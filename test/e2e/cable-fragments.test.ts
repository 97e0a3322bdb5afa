import { HOSTS } from "../support/plant.ts";
import { CableBed, FORWARDED, FORWARDED_UDP } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "tcpdump",
  "tshark",
  "scapy",
)("fragments, torn or tiny, pass only where the whole packet would", async (t) => {
  const bed = await CableBed.start(t);
  const box = `eth.src == ${bed.plant.mac("box", "uplink")}`;
  const watch = await bed.watch();
  for (const kind of ["fragments", "torn"] as const) {
    t.true((await bed.send(kind, "attacker", HOSTS.press, [802, 502, 22])) > 20);
    t.true((await bed.send(kind, "hmi", HOSTS.historian, [4001, 22])) > 20);
    t.true((await bed.send(kind, "hmi", HOSTS.attacker, [FORWARDED, FORWARDED_UDP])) > 20);
  }
  await bed.send("torn", "hmi", HOSTS.historian, [FORWARDED_UDP]);
  await bed.works("afterwards");
  t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
  t.deepEqual(watch.uplink.frames(`${box} && ip.flags.mf == 1 && !icmp`), [], "of an allowed way neither");

  const whole = await bed.watch();
  await bed.send("fragments", "hmi", HOSTS.historian, [FORWARDED_UDP]);
  await whole.crossed();
  const arrived = whole.uplink.frames(
    `${box} && udp.dstport == ${FORWARDED_UDP} && frame contains "NIACXING"`,
  );
  t.is(arrived.length, 1, "a whole packet does, in as many pieces as it came");
  await bed.recorded(40, /fragment of tcp/, /fragment of udp/, /tcp ports 22 and 502/);
});
