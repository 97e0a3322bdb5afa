import { APPLIANCE, Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { SClient } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { TcpMachine } from "../support/tcp-machine.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

/** The number of the first line with `part`. */
function line(text: string, part: string): number {
  return text.split("\n").findIndex((each) => each.includes(part)) + 1;
}

testWith("pymodbus")(
  "a site document is checked, compared, applied, shown, listed and rolled back",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: null });
    const first = pressSite(machine.port);
    const second = pressSite(machine.port, { modbus: "{ functions: readOnly }" });
    const file = bed.write("plant.yaml", first);

    t.like(await bed.niac("site", "history"), { code: 0, out: "No site document was applied yet.\n" });
    const checked = await bed.niac("site", "check", file);
    t.like(checked, { code: 0, err: "" });
    t.is(checked.out, `${file} is good: 1 machine, 1 grant, 0 forbids, 0 destinations\n`);
    t.regex((await bed.niac("site", "diff", file)).out, /^machine press-4 added$/m);
    t.like(await bed.niac("site", "apply", file, "--note", "commissioning"), {
      code: 0,
      out: "version 1 is in force\n",
    });
    t.is((await bed.niac("site", "diff", file)).out, "No difference.\n");

    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const client = await ModbusClient.connect(bed, { credential });
    t.is((await client.write(10, 1)).exception, 0);

    const changed = bed.write("plant.yaml", second);
    t.regex(
      (await bed.niac("site", "diff", changed)).out,
      /grant maintenance-runs-press changed: .*readOnly/,
    );
    t.is((await bed.niac("site", "apply", changed)).out, "version 2 is in force\n");
    await bed.until(
      async () => (await client.write(10, 2)).exception === 1,
      "the live session to be held to it",
    );
    t.is((await client.read(10)).exception, 0, "and the session is not ended over it");

    t.is((await bed.niac("site", "show")).out.trim(), second.trim());
    t.is((await bed.niac("site", "show", "1")).out.trim(), first.trim());
    t.is((await bed.niac("site", "rollback", "1")).out, "version 3 is in force\n");
    await bed.until(
      async () => (await client.write(10, 3)).exception === 0,
      "the first version to hold again",
    );
    t.is((await bed.niac("site", "show")).out.trim(), first.trim());

    const rows = (await bed.niac("site", "history")).out.trimEnd().split("\n");
    t.regex(rows[0] ?? "", /^VERSION +APPLIED +BY +SHA-256 +NOTE$/);
    t.deepEqual(
      rows.slice(1).map((row) => row.split(/ {2,}/)[0]),
      ["3", "2", "1"],
    );
    t.regex(rows[1] ?? "", /rollback to version 1$/);
    t.regex(rows[3] ?? "", /commissioning$/);
    const records = await bed.records("kind=site");
    t.deepEqual(
      records.map(({ siteVersion }) => siteVersion),
      [1, 2, 3],
    );
  },
);

testWith("pymodbus")("a broken document says where and what, and leaves the old one serving", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const site = pressSite(machine.port);
  const bed = await Appliance.start(t, { site });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const client = await ModbusClient.connect(bed, { credential });

  const misspelt = site.replace("machines: [press-4]", "machines: [pres-4]");
  for (const command of ["check", "apply"]) {
    const { code, out, err } = await bed.niac("site", command, bed.write("plant.yaml", misspelt));
    t.is(code, 1);
    t.is(out, "");
    t.true(
      err.includes(`plant.yaml:${line(misspelt, "pres-4")}:24  error  machine pres-4 is not declared`),
      err,
    );
    t.true(err.includes("did you mean: press-4"), err);
    t.notRegex(err, /\n {4}at /, "no stack trace");
  }
  const cases: ReadonlyArray<readonly [text: string, said: RegExp]> = [
    [site.replace("timeZone: UTC", "timeZone: Europe/Berln"), /plant\.yaml:3:\d+ +error .*time zone/],
    [site.replace("reason:", "raeson:"), /plant\.yaml:\d+:\d+ +error .*raeson[^]*did you mean: reason/],
    ["niac: 1\n  site: [\n", /plant\.yaml:\d+:\d+ +error/],
    ["", /plant\.yaml:1:1 +error/],
    [`${site}\nniac: 1\n`, /plant\.yaml:\d+:\d+ +error .*niac/],
    [site.replace("niac: 1", "niac: 2"), /plant\.yaml:2:\d+ +error/],
  ];
  for (const [text, said] of cases) {
    const { code, err } = await bed.niac("site", "apply", bed.write("plant.yaml", text));
    t.is(code, 1, err);
    t.regex(err, said);
    t.regex(err, /Nothing was changed/);
    t.notRegex(err, /\n {4}at /, "no stack trace");
  }
  t.is((await client.write(10, 1)).exception, 0, "the old document serves");
  t.is((await bed.niac("site", "show")).out.trim(), site.trim());
  t.is((await bed.records("kind=site")).length, 1);
});

testWith("pymodbus")("a new document ends exactly the sessions it no longer allows", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const screen = await TcpMachine.start(t, (socket) => socket.pipe(socket));
  const others = `
  press-5: { services: { modbus: { protocol: modbus-tcp, address: "127.0.0.1:${machine.port}" } } }
  press-6: { services: { modbus: { protocol: modbus-tcp, address: "127.0.0.1:${machine.port}" } } }`;
  const grants = `
  - name: operators-read
    reason: Operators look at the presses
    who: { groups: [operators] }
    what: { machines: [press-4, press-5, press-6], modbus: { functions: readOnly } }
  - name: maintenance-sees-the-screen
    reason: Maintenance looks at the press's own screens
    who: { groups: [maintenance] }
    what: { machines: [press-4], services: [screen, log] }`;
  const services = ["screen", "log"].map(
    (name) => `${name}: { protocol: tcp, address: "127.0.0.1:${screen.port}" }`,
  );
  const site = pressSite(machine.port, { services: services.join(", "), machines: others, grants }).replace(
    "groups:\n",
    "groups:\n  operators: { fromCertificate: true }\n",
  );
  const bed = await Appliance.start(t, { site });
  const alice = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const bob = bed.root.client({ cn: "bob", ou: ["operators"] });
  const open = (credential: typeof alice, name: string): Promise<ModbusClient> =>
    ModbusClient.connect(bed, { credential, service: `modbus.${name}` });
  const sessions = {
    "alice at press-4": await open(alice, "press-4"),
    "bob at press-4": await open(bob, "press-4"),
    "bob at press-5": await open(bob, "press-5"),
    "bob at press-6": await open(bob, "press-6"),
  };
  for (const client of Object.values(sessions)) t.is((await client.read(10)).exception, 0);

  const tunnels = {
    screen: new SClient(t, bed, {
      credential: alice,
      port: bed.servicesPort,
      serverName: `screen.press-4.${APPLIANCE}`,
    }),
    log: new SClient(t, bed, {
      credential: alice,
      port: bed.servicesPort,
      serverName: `log.press-4.${APPLIANCE}`,
    }),
  };
  for (const [name, tunnel] of Object.entries(tunnels)) {
    tunnel.send(`hello ${name}\n`);
    await tunnel.says(`hello ${name}\n`);
  }

  // press-5 is granted no more, and press-6 and press-4's screen have other addresses now.
  const next = site
    .replace("machines: [press-4, press-5, press-6]", "machines: [press-4, press-6]")
    .replace(/(press-6: .*)127\.0\.0\.1/, "$1127.0.0.2")
    .replace(/(screen: .*?)127\.0\.0\.1/, "$1127.0.0.2");
  await bed.apply(next);
  await until(
    () => sessions["bob at press-5"].ended && sessions["bob at press-6"].ended,
    "the two sessions to end",
  );
  await tunnels.screen.closed();
  tunnels.log.send("still here\n");
  await tunnels.log.says("still here\n");
  for (const name of ["alice at press-4", "bob at press-4"] as const) {
    t.is((await sessions[name].read(11)).exception, 0, `${name} goes on`);
  }
  const ends = await bed.recorded(3, "kind=session.end");
  t.is(ends.length, 3);
  const of = (name: string) => ends.find((end) => end.machine === name);
  t.regex(of("press-4")?.reason ?? "", /site document changed screen of press-4/);
  t.like(of("press-5"), { stage: "grant", decision: "denial" });
  t.regex(of("press-6")?.reason ?? "", /site document changed modbus of press-6/);
});
