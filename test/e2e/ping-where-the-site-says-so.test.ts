import { HOSTS, Plant } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "tcpdump",
  "tshark",
)("a machine is pinged where the site says so, answers itself, and pings nobody", async (t) => {
  const plant = await Plant.start(t, (p) => plantSite(p, { press: "ping: true" }));
  const ping = (host: string, to: string, ...more: string[]) =>
    plant.result(host, "ping", ["-n", "-c", "2", "-i", "0.2", "-W", "2", ...more, to]);
  const behind = await plant.capture("box", "device", "icmp");

  const answered = await ping("laptop", HOSTS.press);
  t.is(answered.code, 0, answered.out);
  const other = await ping("laptop", HOSTS.hmi);
  t.is(other.code, 1);
  t.regex(other.out, /Packet filtered/, "another machine: refused at once");
  t.is((await ping("laptop", HOSTS.press, "-s", "1000")).code, 1, "no larger than a ping is");

  await behind.stop();
  t.is(behind.frames(`icmp.type == 8 && ip.src == ${HOSTS.laptop} && ip.dst == ${HOSTS.press}`).length, 2);
  t.is(behind.frames(`icmp.type == 0 && ip.src == ${HOSTS.press} && ip.dst == ${HOSTS.laptop}`).length, 2);
  t.deepEqual(behind.frames(`ip.dst == ${HOSTS.hmi}`), []);

  t.regex((await ping("press", HOSTS.laptop)).out, /Packet filtered/, "the machine itself asks nobody");
  await plant.apply(plantSite(plant));
  t.regex((await ping("laptop", HOSTS.press)).out, /Packet filtered/, "and no longer where it does not");
});
