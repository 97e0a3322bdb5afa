import { spawn } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import type { ExecutionContext } from "ava";
import { APPLIANCE, Appliance } from "../support/appliance.ts";
import type { Credential } from "../support/pki.ts";
import { pressSite } from "../support/sites.ts";
import { testWith } from "../support/tools.ts";

const PAGE = `<h1>press-4</h1>${"<p>oil pressure</p>".repeat(5_000)}`;

/** The machine's own web server, without TLS, as such machines have it. */
async function webServer(t: ExecutionContext, seen: IncomingMessage[]): Promise<number> {
  const server = createServer((request, response) => {
    seen.push(request);
    response.setHeader("content-type", "text/html").end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the web server has no port");
  return address.port;
}

function curl(
  bed: Appliance,
  credential: Credential | null,
  args: readonly string[] = [],
): Promise<{ code: number | null; out: string; err: string }> {
  const name = `web.press-4.${APPLIANCE}`;
  const identity = credential === null ? [] : ["--cert", credential.chain, "--key", credential.key];
  const where = ["--cacert", bed.root.credential.cert, "--resolve", `${name}:${bed.servicesPort}:127.0.0.1`];
  const how = ["--silent", "--show-error", "--verbose", "--noproxy", "*", "--max-time", "30"];
  const url = [`https://${name}:${bed.servicesPort}/`, `https://${name}:${bed.servicesPort}/again`];
  const child = spawn("curl", [...how, ...where, ...identity, ...args, ...url], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

testWith("curl")("curl reads a machine's own web page, with the certificate and with http/1.1", async (t) => {
  const seen: IncomingMessage[] = [];
  const port = await webServer(t, seen);
  const bed = await Appliance.start(t, {
    site: pressSite(1, {
      services: `web: { protocol: tcp, address: "127.0.0.1:${port}" }`,
      grants: `
  - name: maintenance-reads-the-page
    reason: Maintenance looks at the press's own page
    who: { groups: [maintenance] }
    what: { machines: [press-4], services: [web] }`,
    }),
  });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });

  const read = await curl(bed, credential);
  t.is(read.code, 0, read.err);
  t.is(read.out, PAGE + PAGE);
  t.regex(read.err, /ALPN: server accepted http\/1\.1/);
  t.deepEqual(
    seen.map(({ url }) => url),
    ["/", "/again"],
  );
  const [ended] = await bed.recorded(1, "kind=session.end");
  t.true((ended?.counts?.["bytesOut"] ?? 0) > PAGE.length * 2, "what the page had is counted");
  t.is((await bed.records("kind=session.start")).length, 1, "both pages came over one session");

  for (const args of [["--http1.0"], ["--no-alpn"]]) {
    const other = await curl(bed, credential, args);
    t.is(other.code, 0, `${args.join(" ")}: ${other.err}`);
    t.is(other.out, PAGE + PAGE);
  }
  const reached = seen.length;
  const bare = await curl(bed, null);
  t.not(bare.code, 0);
  t.is(bare.out, "");
  t.is(seen.length, reached, "nothing reached the machine");
});
