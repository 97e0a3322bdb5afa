import { HOSTS, Plant, SILENCE } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "tcpdump",
  "tshark",
)(
  "where the site chooses silence, who is refused hears nothing, and is on record all the same",
  async (t) => {
    const plant = await Plant.start(t, (p) => plantSite(p, { network: "refusal: silent" }));
    const heard = await plant.capture("attacker", "eth0", `ip src ${HOSTS.press}`);
    const datagram = `import socket; socket.socket(2, 2).sendto(b'x', ('${HOSTS.press}', 161))`;
    // Together: what comes within seconds is one record.
    const [dialled, pinged, sent] = await Promise.all([
      plant.dial("attacker", HOSTS.press, 503, SILENCE),
      plant.result("attacker", "ping", ["-c", "1", "-W", "1", HOSTS.press]),
      plant.result("attacker", "python3", ["-c", datagram]),
    ]);
    t.deepEqual([dialled, pinged.code, sent.code], ["silent", 1, 0]);
    t.is(await plant.dial("attacker", HOSTS.press, 802), "open", "what is there, answers");
    t.is(await plant.dial("press", HOSTS.historian, 4000), "reset", "a machine is told at once in any case");
    await heard.stop();
    t.deepEqual(heard.frames("!(tcp.srcport == 802)"), []);
    const [refused] = await plant.box.recorded(1, "kind=flow.refused", "stage=unknown-port");
    t.regex(refused?.reason ?? "", /^10\.20\.0\.66 tried tcp port 503, udp port 161 and ping of press/);

    await plant.apply(plantSite(plant));
    t.is(await plant.dial("attacker", HOSTS.press, 503), "reset", "without that choice");
  },
);
