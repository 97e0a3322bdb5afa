import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { APPLIANCE } from "../support/appliance.ts";
import { freePort } from "../support/ports.ts";
import { AuthorityBed } from "../support/authority-bed.ts";
import { end, type Teardown } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { Soak } from "../support/soak.ts";
import { testWith } from "../support/tools.ts";

const reportSchema = z.array(z.object({ id: z.string(), severity: z.string(), finding: z.string() }));
const HARMLESS = ["OK", "INFO", "LOW", "DEBUG"];

type Listener = readonly [name: string, port: number];

/** That certificates end within a day is what they are for: they are renewed every eight hours. */
const INTENDED = ["cert_expirationStatus", "cert_notAfter"];
/**
 * Warnings, not findings: this computer's openssl has no GOST, and is closed on because it has no certificate; and it may leave before its
 * ticket for another session has come, and then has none to try.
 */
const CIRCUMSTANCES = ["engine_problem", "optimal_proto", "sessionresumption_ticket"];

/** All listeners where there are minutes, however long it takes; in a short run one of them, by chance. */
testWith("testssl", "openssl")("testssl.sh finds nothing above LOW at any listener", async (t) => {
  const soak = Soak.fromEnvironment();
  t.timeout(soak.patience);
  const enroll = await freePort();
  const bed = await AuthorityBed.start(t, {
    site: pressSite(await freePort()),
    environment: { NIAC_LISTEN_ENROLL: `127.0.0.1:${enroll}` },
  });
  const { appliance } = bed;
  const trust = appliance.write("roots.pem", await bed.trust());
  const all: readonly [Listener, ...Listener[]] = [
    ["modbus", appliance.modbusPort],
    ["services", appliance.servicesPort],
    ["enrolment", enroll],
  ];
  const listeners = soak.short ? [soak.pick(all)] : all;
  const looked = listeners.map(async ([name, port]) => {
    const findings = await testssl(t, appliance.dir, `${name}.json`, port, trust);
    t.log(`${name}: ${findings.length} findings; NIAC_SEED=${soak.seed}`);
    t.true(findings.length > 50, `${name}: all of it was looked at, ${findings.length} findings`);
    const expected = [...INTENDED, ...CIRCUMSTANCES];
    t.deepEqual(
      findings.filter(({ id, severity }) => !HARMLESS.includes(severity) && !expected.includes(id)),
      [],
      name,
    );
  });
  await Promise.all(looked);
});

async function testssl(
  t: Teardown,
  dir: string,
  file: string,
  port: number,
  trust: string,
): Promise<z.infer<typeof reportSchema>> {
  const report = `${dir}/${file}`;
  const options = ["--quiet", "--color", "0", "--warnings", "off"];
  const child = spawn(
    "testssl",
    [
      ...options,
      "--ip",
      "127.0.0.1",
      "--add-ca",
      trust,
      "--jsonfile",
      report,
      "-p",
      "-s",
      "-f",
      "-P",
      "-S",
      "-U",
      `${APPLIANCE}:${port}`,
    ],
    { cwd: dir, stdio: "ignore" },
  );
  t.teardown(() => end(child, "SIGKILL"));
  await new Promise((resolve) => child.once("close", resolve));
  return reportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
}
