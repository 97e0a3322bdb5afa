import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import test from "ava";
import { APPLIANCE } from "../support/appliance.ts";
import { AuthorityBed } from "../support/authority-bed.ts";
import { EstServer } from "../support/est-server.ts";
import { pressSite } from "../support/sites.ts";

test("the site's own authority by EST: the box enrols by command, and its certificates come from there", async (t) => {
  t.timeout(180_000);
  const server = await EstServer.start(t);
  const bed = await AuthorityBed.prepare(t, { site: null, environment: { NIAC_ROTATION: "400ms" } });
  const { appliance } = bed;
  appliance.launch("up");
  await appliance.logged("control is ready");
  await appliance.apply(pressSite(1));
  const ca = appliance.write("site-root.pem", server.root);
  const init = (code: string): ReturnType<typeof appliance.niac> => {
    const file = appliance.write("code", `${code}\n`);
    const user = ["--user", server.user, "--code-file", file];
    return appliance.niac("authority", "init", "--delegated", server.url, "--ca", ca, ...user);
  };
  const wrong = await init("not the code");
  t.is(wrong.code, 2, wrong.out);
  t.regex(wrong.err, /does not accept the credentials for simpleenroll \(status 401: who are you\?\)/);
  t.notRegex(wrong.err + appliance.log, /not the code/);

  const made = await init(server.code);
  t.is(made.code, 0, made.err);
  t.regex(made.out, /the site's own, https:\/\/127\.0\.0\.1:\d+\nthis box +box\.plant\.example, good until/);
  await appliance.logged("gateway is ready");
  const first = await presented(appliance.servicesPort, server.root);
  t.is(first.subject, `CN=${APPLIANCE}`);
  t.regex(first.issuer, /CN=Site Issuing/);
  t.regex(first.subjectAltName ?? "", /DNS:\*\.press-4\.box\.plant\.example/);

  await server.order({ fault: "500" });
  await appliance.logged("the gateway's certificate cannot be renewed, and the one in use expires in");
  t.regex((await appliance.niac("status")).out, /cannot be renewed\nproblem .*failed at simpleenroll/);
  await presented(appliance.servicesPort, server.root);
  const mark = appliance.log.length;
  await server.order({ fault: null });
  await appliance.logged("the gateway has a new certificate of its own", mark);
  await appliance.until(
    async () => (await presented(appliance.servicesPort, server.root)).serialNumber !== first.serialNumber,
    "a new certificate",
  );
  t.notRegex(JSON.stringify(await appliance.records()) + appliance.log, new RegExp(server.code));
});

/** What the gateway shows, verified; it may end the connection afterwards, as nobody has a certificate here. */
function presented(port: number, ca: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca, servername: `modbus.press-4.${APPLIANCE}` }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate) resolve(certificate);
      else reject(new Error("no certificate was shown"));
    });
    socket.once("error", reject);
  });
}
