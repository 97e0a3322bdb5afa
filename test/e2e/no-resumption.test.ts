import { join } from "node:path";
import { Appliance } from "../support/appliance.ts";
import { ANSWER, REQUEST, SClient } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

testWith("pymodbus")("no session is resumed: every connection shows its certificate anew", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port, { service: "unsafeTls12: true" }) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });

  for (const version of ["-tls1_3", "-tls1_2"]) {
    const kept = join(bed.dir, `session${version}`);
    const first = new SClient(t, bed, { credential, args: [version, "-sess_out", kept] });
    first.send(REQUEST);
    await first.says(ANSWER);
    t.notRegex(first.out, /New Session Ticket|TLS session ticket:/, `${version}: no ticket`);
    await first.leave();

    const second = new SClient(t, bed, { credential, args: [version, "-sess_in", kept] });
    second.send(REQUEST);
    await second.says(ANSWER);
    t.regex(second.out, /^New, /m, `${version}: not resumed`);
    await second.leave();

    // The first connection's session must not stand in for a certificate.
    const bare = new SClient(t, bed, { credential: null, args: [version, "-sess_in", kept] });
    bare.send(REQUEST);
    t.false((await bare.closed()).includes(ANSWER), `${version}: no answer without a certificate`);
    t.notRegex(bare.out, /^Reused, /m);
  }
});
