import { AuthorityBed } from "../support/authority-bed.ts";
import { freePort } from "../support/ports.ts";
import { SClient } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { testWith } from "../support/tools.ts";

/** What this computer's openssl would do where a server let it. */
const VERSIONS = ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"] as const;
const EVERYTHING = ["-cipher", "ALL:@SECLEVEL=0"];
/** Suites of TLS 1.3 that are for small devices, with a short tag. */
const SHORT = ["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256"];

testWith("openssl")(
  "every listener speaks TLS 1.3, with its own certificate, that for laptops without one 1.2 as well, and nothing of old",
  async (t) => {
    const enroll = await freePort();
    const bed = await AuthorityBed.start(t, {
      site: pressSite(await freePort()),
      environment: { NIAC_LISTEN_ENROLL: `127.0.0.1:${enroll}` },
    });
    const { appliance } = bed;
    const roots = appliance.write("roots.pem", await bed.trust());
    const ports = { modbus: appliance.modbusPort, services: appliance.servicesPort, enrolment: enroll };
    const dial = async (port: number, args: readonly string[]): Promise<string> => {
      const client = new SClient(t, appliance, { credential: null, port, args: [...args, "-CAfile", roots] });
      await client.says(/^(?: *Verify return code|.*alert|.*:error:)/m);
      return client.leave();
    };
    const again = new SClient(t, appliance, {
      credential: null,
      port: enroll,
      args: ["-tls1_2", "-no_ign_eof", "-CAfile", roots],
    });
    await again.says(/Verify return code/);
    again.send("R\n");
    t.regex(await again.closed(), /RENEGOTIATING\n[^]*(?:alert|error)/, "nothing is negotiated twice");

    for (const [name, port] of Object.entries(ports)) {
      const spoken: string[] = [];
      for (const version of VERSIONS) {
        const said = await dial(port, [version, ...(version === "-tls1_3" ? [] : EVERYTHING)]);
        if (!said.includes("Cipher is (NONE)")) spoken.push(version);
        else t.regex(said, /alert protocol version|no protocols available/, `${name} ${version}`);
      }
      t.deepEqual(spoken, name === "enrolment" ? ["-tls1_2", "-tls1_3"] : ["-tls1_3"], name);

      const said = await dial(port, ["-tls1_3"]);
      t.regex(said, /Cipher is TLS_(?:AES_\d+_GCM|CHACHA20_POLY1305)_SHA\d+/, name);
      t.regex(said, /Verify return code: 0 \(ok\)/, name);
      t.regex(said, /Compression: NONE/, name);
      for (const [what, args] of Object.entries({
        "a short tag": SHORT,
        "a weak curve": ["-tls1_3", "-groups", "ffdhe2048"],
      }))
        t.regex(await dial(port, args), /alert handshake failure/, `${name}: ${what}`);
    }
  },
);
