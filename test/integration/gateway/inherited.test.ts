import test from "ava";
import { spawn } from "node:child_process";
import { Appliance } from "../../support/appliance.ts";
import { end } from "../../support/processes.ts";
import { PROGRAM } from "../../support/program.ts";

test("a gateway that is given a descriptor it did not inherit ends, and says which", async (t) => {
  const bed = await Appliance.prepare(t, { site: null });
  await bed.run("control");
  const child = spawn(process.execPath, [PROGRAM, "gateway", "--supervised", "--outbound", "99"], {
    env: { ...process.env, ...bed.environment },
    stdio: ["pipe", "ignore", "pipe"],
  });
  t.teardown(() => end(child, "SIGKILL"));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  t.is(code, 2);
  t.regex(said, /cannot listen on the inherited descriptor 99/);
});
