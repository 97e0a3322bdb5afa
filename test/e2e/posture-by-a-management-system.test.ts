import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GOOD } from "../support/posture.ts";
import { answerOf, DEVICE, PostureBox } from "../support/posture-box.ts";
import { until } from "../support/processes.ts";
import { testWith } from "../support/tools.ts";

const PAGE = readFileSync(new URL("../../src/enrolment/POSTURE.md", import.meta.url), "utf8");

/** What POSTURE.md tells to be run, in order. */
function examples(language: string): string[] {
  return [...PAGE.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, text = ""]) =>
    name === language ? [text] : [],
  );
}

testWith("openssl", "curl")(
  "a management system reports as POSTURE.md says, with openssl and curl, and where only its word counts, by that alone",
  async (t) => {
    t.timeout(120_000);
    const [once = "", each = ""] = examples("sh");
    const [jose = ""] = examples("js");
    const keys = mkdtempSync(join(tmpdir(), "niac-mdm-"));
    t.teardown(() => rmSync(keys, { recursive: true, force: true }));
    execFileSync("sh", ["-euc", once], { cwd: keys, stdio: "ignore" });
    const key = readFileSync(join(keys, "mdm-1.pub"), "utf8");
    const box = await PostureBox.start(t, { signedBy: "management", signers: { "mdm-1": key } });
    writeFileSync(join(keys, "plant.pem"), box.ca);
    const report = (device: string, encrypted: boolean): { status: number; text: string } => {
      const found = {
        box: box.address,
        device,
        encrypted: String(encrypted),
        kernel: "6.12.30",
        edr: "null",
      };
      const options = { cwd: keys, encoding: "utf8", env: { ...process.env, ...found } } as const;
      const { status, stdout, stderr } = spawnSync("sh", ["-euc", each], options);
      return { status: status ?? -1, text: status === 0 ? stdout : stderr };
    };

    t.like(
      answerOf(await box.report(GOOD)).requirements[0],
      { met: false },
      "the laptop's own word does not count",
    );
    t.is((await (await box.connect()).read(10)).exception, 1);

    const good = report(DEVICE, true);
    t.is(good.status, 0, good.text);
    t.like(answerOf(good), { device: DEVICE, by: "mdm-1" });
    t.like(answerOf(good).requirements[0], { name: "in-order", met: true });
    const session = await box.working();

    await nextSecond();
    t.like(answerOf(report("another-laptop", false)).requirements[0], { met: false });
    t.is((await session.read(10)).exception, 0, "another laptop's report is its own");
    const bad = report(DEVICE, false);
    t.like(answerOf(bad).requirements[0], { met: false });
    await until(() => session.ended, "the session to end");
    const [end] = await box.appliance.recorded(1, "kind=session.end");
    t.like(end, { stage: "posture", decision: "denial" });
    t.regex(end?.reason ?? "", /its disk is not encrypted \(report of .* by mdm-1\)/);

    await nextSecond();
    symlinkSync(new URL("../../node_modules", import.meta.url).pathname, join(keys, "node_modules"));
    const options = {
      cwd: keys,
      encoding: "utf8",
      input: jose,
      env: { ...process.env, device: DEVICE },
    } as const;
    const signed = spawnSync(process.execPath, ["--input-type=module", "-"], options);
    t.is(signed.status, 0, signed.stderr);
    const taken = await box.post(signed.stdout);
    t.is(taken.status, 200, taken.text);
    await box.working();
    t.is((await box.post(signed.stdout)).status, 200, "its answer may have been lost");
  },
);

/** Reports have whole seconds, and one that is not newer is refused. */
function nextSecond(): Promise<void> {
  const now = Math.floor(Date.now() / 1_000);
  return until(() => Math.floor(Date.now() / 1_000) > now, "the next second");
}
