/** dig and the system's own resolver library as machines' clients of the appliance's DNS. */
import { spawn } from "node:child_process";
import { startDns } from "../../../src/gateway/dns.ts";
import { testWith } from "../../support/tools.ts";
import { destination, responderBed, snapshotWith } from "../../unit/gateway/responder-bed.ts";

function dig(port: number, ...args: string[]): Promise<string> {
  const child = spawn("dig", ["@127.0.0.1", "-p", String(port), "+tries=1", "+timeout=20", ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  return new Promise((resolve) => child.once("close", () => resolve(out)));
}

testWith("dig")(
  "dig gets the address of a destination, and a refusal with its reason for all else",
  async (t) => {
    const bed = responderBed(
      snapshotWith([destination("historian", ["press-4"], ["historian.plant.example"], "198.19.0.3")]),
    );
    const dns = await startDns(bed.options);
    t.teardown(() => dns.close());

    t.is(await dig(dns.port, "+short", "Historian.PLANT.example"), "198.19.0.3\n");
    const answer = await dig(dns.port, "historian.plant.example");
    t.regex(answer, /status: NOERROR/);
    t.regex(answer, /flags: qr aa rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1/);
    t.regex(answer, /historian\.plant\.example\. 60\s+IN\s+A\s+198\.19\.0\.3/);
    t.notRegex(answer, /WARNING|malformed|extra/i);

    const empty = await dig(dns.port, "historian.plant.example", "AAAA");
    t.regex(empty, /status: NOERROR/);
    t.regex(empty, /ANSWER: 0/);

    const refused = await dig(dns.port, "data-goes-out.evil.example", "TXT");
    t.regex(refused, /status: REFUSED/);
    t.regex(refused, /EDE: 18 \(Prohibited\): \(not a destination of this machine\)/);
    t.regex(await dig(dns.port, "+noedns", "evil.example"), /status: REFUSED/);
    t.regex(await dig(dns.port, "-x", "198.19.0.3"), /status: REFUSED/);
    t.regex(await dig(dns.port, "version.bind", "TXT", "CH"), /status: REFUSED/);
    t.regex(await dig(dns.port, "+edns=3", "+noednsneg", "historian.plant.example"), /status: BADVERS/);
    t.regex(await dig(dns.port, "+header-only"), /status: FORMERR/);
    t.regex(await dig(dns.port, "+opcode=UPDATE", "evil.example"), /status: NOTIMP/);
    t.regex(await dig(dns.port, "+zflag", "historian.plant.example"), /status: FORMERR/);
    t.is(
      await dig(dns.port, "+short", "+noadflag", "+cdflag", "+dnssec", "historian.plant.example"),
      "198.19.0.3\n",
    );
    t.deepEqual(
      bed.drafts.map(({ kind, detail }) => detail?.["dns"] ?? kind),
      [
        "data-goes-out.evil.example",
        "evil.example",
        "3.0.19.198.in-addr.arpa",
        "version.bind",
        "malformed",
        "flow.refused",
        "malformed",
      ],
    );
  },
);
