import test from "ava";
import { Laptop, toBox } from "../integration/laptop/laptop.ts";
import { identityProvider, signedInBy } from "../integration/laptop/provider.ts";
import { AuthorityBed } from "../support/authority-bed.ts";
import { pressSite } from "../support/sites.ts";

test("who signs in at the plant's provider is enrolled as who he is there", async (t) => {
  const { appliance } = await AuthorityBed.start(t, { site: null });
  const { pki } = appliance;
  const root = pki.root("Office Root");
  const provider = await identityProvider(
    root.server({ dns: ["id.example"], ip: ["127.0.0.1"] }),
    root.client({ cn: "signing" }).keyPem,
  );
  t.teardown(() => provider.close());
  const ca = root.certPem.trimEnd().replaceAll("\n", "\n      ");
  const trust = `
trust:
  signIn:
    issuer: ${provider.issuer}
    clientId: ${provider.clientId}
    scopes: [openid]
    userClaim: sub
    tier: managed
    ca: |
      ${ca}
`;
  await appliance.apply(pressSite(1, { more: trust }));
  const laptop = new Laptop(t);
  laptop.onPage = (url) => void signedInBy(url, "alice", root.certPem);
  await laptop.niac("enroll", ...(await toBox(appliance)), "--sign-in");
  t.true(
    laptop.out.some((line) => line.startsWith("Enrolled as alice on laptop-7;")),
    laptop.out.join("\n"),
  );
});
