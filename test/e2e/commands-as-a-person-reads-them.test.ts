import { spawn } from "node:child_process";
import { parseRecord } from "../../src/audit/index.ts";
import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { end, until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";
import { PROGRAM } from "../support/program.ts";

/** Where each column of a table begins, by its header. */
function columnsOf(header: string): number[] {
  return [...header.matchAll(/(?:^| {2})(\S)/g)].map((match) => match.index + match[0].length - 1);
}

testWith("pymodbus")("sessions, status, end and audit show a person what is going on", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port) });
  t.is((await bed.niac("sessions")).out, "No sessions.\n");
  const idle = (await bed.niac("status")).out;
  t.regex(idle, /^appliance +box \(niac \d+\.\d+\.\d+\)$/m);
  t.regex(idle, /^gateway +running$/m);
  t.regex(idle, /^site +version 1, applied by \w+$/m);
  t.regex(idle, /^audit log +recording, \d+ records$/m);

  const alice = await ModbusClient.connect(bed, {
    credential: bed.root.client({ cn: "alice", ou: ["maintenance"] }),
  });
  const long = await ModbusClient.connect(bed, {
    credential: bed.root.client({ cn: "engineer-with-a-long-name", ou: ["maintenance"] }),
  });
  await alice.write(10, 4711);
  await alice.read(10);
  await long.read(11);

  const table = (await bed.niac("sessions")).out.trimEnd().split("\n");
  t.is(table.length, 3);
  const starts = columnsOf(table[0] ?? "");
  for (const row of table.slice(1)) {
    for (const start of starts) t.regex(`  ${row}`.slice(start, start + 3), /^ {2}\S$/, row);
  }
  t.regex(table.join("\n"), /alice +127\.0\.0\.1:\d+ +press-4\/modbus +maintenance-runs-press .* 1 +1 +0 /);
  t.regex((await bed.niac("status")).out, /^press-4\/modbus +working +1 +0 +0$/m);

  const id = /^(\S+) +alice/m.exec(table.join("\n"))?.[1] ?? "";
  t.like(await bed.niac("end", id, "--reason", "shift is over"), {
    code: 0,
    out: `session ${id} is ended\n`,
  });
  await until(() => alice.ended, "the session to end");
  t.false(long.ended, "and no other");
  const gone = await bed.niac("end", id);
  t.is(gone.code, 2);
  t.is(gone.err, `there is no session ${id}\nSee \`niac sessions\`.\n`);

  const [ended] = await bed.recorded(1, "kind=session.end");
  t.regex(ended?.reason ?? "", /^\w+ ended it: shift is over$/);
  const [told] = await bed.records("kind=admin");
  t.like(told, { session: id });

  const tail = (await bed.niac("audit", "tail")).out;
  t.regex(tail, /^TIME +INDEX +WHO +WHERE +WHAT$/m);
  t.regex(
    tail,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d +\d+ {2}PERMIT {2}alice +press-4\/modbus +write single register, holding register 10 = 4711/m,
  );
  t.regex(tail, /session ended after .* 1 write, .* — \w+ ended it: shift is over/);

  const [write] = await bed.records("kind=operation");
  const shown = (await bed.niac("audit", "show", String(write?.index))).out;
  t.is(shown.match(/^index /gm)?.length, 2, `the write and its outcome, each once:\n${shown}`);
  t.regex(shown, /^operation\.writes\.values +4711$/m);
  t.regex(shown, /^outcome +ok$/m);
  t.is((await bed.niac("audit", "query", "user=nobody")).out, "No record matches.\n");

  const query = async (...words: string[]): Promise<string[]> =>
    (await bed.niac("audit", "query", "kind=session.start", ...words)).out.trimEnd().split("\n");
  const both = await query("since=1h");
  t.is(both.length, 3, both.join("\n"));
  t.regex(both[1] ?? "", /engineer-with-a-long-na/, "the newest comes first");
  const [newest = "", ...rest] = await query("--json", "-n", "1");
  t.deepEqual(rest, [], "no more than asked for");
  const { index, identity } = parseRecord(newest);
  t.is(identity?.user, "engineer-with-a-long-name");
  const [older = ""] = await query("--json", "--before", String(index));
  t.is(parseRecord(older).identity?.user, "alice");
});

testWith("pymodbus")("audit tail --follow shows what comes, until Ctrl-C", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port) });
  const child = spawn(process.execPath, [PROGRAM, "audit", "tail", "-n", "1", "--follow"], {
    env: { ...process.env, ...bed.environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => end(child, "SIGKILL"));
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  await until(() => out.includes("site document"), "the newest record");
  const client = await ModbusClient.connect(bed, {
    credential: bed.root.client({ cn: "alice", ou: ["maintenance"] }),
  });
  await client.write(10, 1);
  await until(() => out.includes("holding register 10 = 1"), "the write to be shown");
  t.is(out.match(/^TIME/gm)?.length, 1, "one header");
  await end(child, "SIGINT");
  t.is(child.exitCode, 0);
});
