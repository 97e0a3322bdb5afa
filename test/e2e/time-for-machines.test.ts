import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BOX, HOSTS, Plant } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "chronyd",
  "tcpdump",
  "tshark",
)("a machine gets the time from the server it always asked, and it is the box that asks there", async (t) => {
  const plant = await Plant.start(t, (p) => plantSite(p, { network: `timeServers: [${HOSTS.historian}]` }));
  const dir = join(plant.box.dir, "chrony");
  mkdirSync(dir, { mode: 0o700 });
  const settings = plant.box.write(
    "chrony.conf",
    `bindaddress ${HOSTS.historian}\nallow all\nlocal stratum 5\ncmdport 0\nbindcmdaddress ${dir}/command.sock\npidfile ${dir}/pid\nuser root\n`,
  );
  plant.spawn("historian", "chronyd", ["-x", "-d", "-f", settings]);
  const outside = await plant.capture("historian", "eth0", "udp port 123");
  // Asked once, of any server; -Q sets no clock.
  const ask = (host: string, server: string) => {
    const lines = [`server ${server} iburst maxsamples 1`, `pidfile ${dir}/${host}.pid`, "cmdport 0"];
    return plant.result(host, "chronyd", ["-Q", "-t", "10", "-f", "/dev/null", "-u", "root", ...lines]);
  };

  const told = await ask("press", HOSTS.historian);
  const off = /System clock wrong by (-?[\d.]+) seconds/.exec(told.out + told.err)?.[1];
  t.true(Math.abs(Number(off)) < 1, `${told.out}${told.err}`);
  const other = await ask("press", HOSTS.scada);
  t.notRegex(other.out + other.err, /System clock wrong/, "another server is nobody's time server");

  await outside.stop();
  t.true(outside.frames(`ntp && ip.src == ${BOX}`).length > 0);
  t.deepEqual(outside.frames(`ip.addr == ${HOSTS.press}`), [], "nothing of the machine's own goes there");
  const [refused] = await plant.box.recorded(1, "kind=flow.refused", "stage=destination");
  t.regex(refused?.reason ?? "", new RegExp(`^press may not reach ${HOSTS.scada} port 123 udp`));
});
