import { HOSTS, Plant } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

testWith("root", "dig")(
  "a machine finds the names of its destinations, whatever server it asks, and no others",
  async (t) => {
    const plant = await Plant.start(t, (p) =>
      plantSite(p, {
        more: `
destinations:
  - { name: historian, reason: Values of the shift, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [4000], names: [historian.plant.example] }`,
      }),
    );
    const outside = await plant.capture("historian", "eth0", "udp port 53");
    const dig = async (host: string, server: string, name: string): Promise<string> => {
      const { out } = await plant.result(host, "dig", [
        "+time=2",
        "+tries=2",
        "+noall",
        "+answer",
        "+comments",
        `@${server}`,
        name,
        "A",
      ]);
      const status = /status: (\w+)/.exec(out)?.[1] ?? "no answer";
      return `${status} ${/\sA\s+([\d.]+)/.exec(out)?.[1] ?? ""}`.trim();
    };
    // The gateway waits for its inner address, which netd gives it.
    await plant.box.until(
      async () => (await dig("hmi", "8.8.8.8", "historian.plant.example")) !== "no answer",
      "DNS to answer",
    );

    t.is(await dig("hmi", "8.8.8.8", "historian.plant.example"), `NOERROR ${HOSTS.historian}`);
    t.is(await dig("hmi", HOSTS.historian, "Historian.Plant.Example"), `NOERROR ${HOSTS.historian}`);
    t.is(await dig("hmi", "8.8.8.8", "secrets.attacker.example"), "REFUSED");
    t.is(
      await dig("press", "8.8.8.8", "historian.plant.example"),
      "REFUSED",
      "another machine's destination",
    );
    await outside.stop();
    t.deepEqual(outside.frames("dns"), [], "nobody outside was asked");
    const [record] = await plant.box.recorded(1, "kind=flow.refused", "machine=hmi", "stage=dns");
    t.regex(record?.reason ?? "", /secrets\.attacker\.example/);
  },
);
