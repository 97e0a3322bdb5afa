import { generateKeyPairSync, sign } from "node:crypto";
import test from "ava";
import { checkApplianceRequest, checkLaptopRequest } from "../../../src/authority/profile-request.ts";
import {
  basicConstraints,
  der,
  extendedKeyUsage,
  keyUsage,
  makeExtension,
  makeName,
  modbusRole,
  publicKeyInfoOf,
  readRequest,
} from "../../../src/x509/index.ts";
import { ALICE, asked, type Asking } from "./plant-bed.ts";

const OK: readonly (readonly [what: string, asking: Asking])[] = [
  ["nothing", {}],
  ["the user's name", { commonName: "alice" }],
  ["the device", { commonName: "alice", altNames: [{ uri: "urn:niac:device:laptop-7" }] }],
  [
    "all names",
    {
      altNames: [
        { uri: "urn:niac:device:laptop-7" },
        { uri: "urn:niac:tier:managed" },
        { uri: "urn:niac:group:maintenance" },
      ],
    },
  ],
  ["a name encoded otherwise", { altNames: [{ uri: "URN:NIAC:device:laptop%2D7" }] }],
  ["usages it has", { extensions: [keyUsage(["digitalSignature"]), extendedKeyUsage(["clientAuth"])] }],
  ["to be no authority", { extensions: [basicConstraints({ ca: false })] }],
];

const BAD: readonly (readonly [what: string, asking: Asking, code: string, said: RegExp])[] = [
  ["another's user", { commonName: "bob" }, "name-refused", /is another's: it asks for CN=bob, .* alice$/],
  ["another's user in capitals", { commonName: "ALICE" }, "name-refused", /CN=ALICE/],
  [
    "two common names",
    {
      subject: makeName([
        ["CN", "alice"],
        ["CN", "bob"],
      ]),
    },
    "name-refused",
    /has a common name alone/,
  ],
  [
    "a group in the subject",
    {
      subject: makeName([
        ["OU", "maintenance"],
        ["CN", "alice"],
      ]),
    },
    "name-refused",
    /OU=maintenance/,
  ],
  [
    "another device",
    { altNames: [{ uri: "urn:niac:device:laptop-8" }] },
    "name-refused",
    /forbidden name: URI .*laptop-8/,
  ],
  ["a group", { altNames: [{ uri: "urn:niac:group:admins" }] }, "name-refused", /urn:niac:group:admins/],
  ["a tier", { altNames: [{ uri: "urn:niac:tier:contractor" }] }, "name-refused", /urn:niac:tier:contractor/],
  [
    "a DNS name",
    { altNames: [{ dns: "box.plant.example" }] },
    "name-refused",
    /DNS name box\.plant\.example/,
  ],
  ["an address", { altNames: [{ ip: "10.0.0.1" }] }, "name-refused", /address 10\.0\.0\.1/],
  ["an e-mail address", { altNames: [{ email: "a@plant.example" }] }, "name-refused", /a@plant\.example/],
  [
    "to be an authority",
    { extensions: [basicConstraints({ ca: true })] },
    "extension-refused",
    /rights of an authority/,
  ],
  ["to sign certificates", { extensions: [keyUsage(["keyCertSign"])] }, "extension-refused", /keyCertSign/],
  [
    "to be a server",
    { extensions: [extendedKeyUsage(["clientAuth", "serverAuth"])] },
    "extension-refused",
    /serverAuth/,
  ],
  ["to sign OCSP", { extensions: [extendedKeyUsage(["ocspSigning"])] }, "extension-refused", /ocspSigning/],
  ["a role", { extensions: [modbusRole("Operator")] }, "extension-refused", /another role/],
  [
    "an extension nobody knows",
    { extensions: [makeExtension("1.3.6.1.4.1.99999.1", der.nullValue(), true)] },
    "extension-refused",
    /the extension 1\.3\.6\.1\.4\.1\.99999\.1/,
  ],
  [
    "extensions by Microsoft's attribute",
    {
      attributes: [
        der.sequence(
          der.oid("1.3.6.1.4.1.311.2.1.14"),
          der.set(der.sequence(basicConstraints({ ca: true }))),
        ),
      ],
    },
    "extension-refused",
    /1\.3\.6\.1\.4\.1\.311\.2\.1\.14/,
  ],
];

for (const [what, asking] of OK) {
  test(`a request for ${what} is fine`, async (t) => {
    const { request } = await asked(asking);
    t.notThrows(() => checkLaptopRequest(request, ALICE));
  });
}

for (const [what, asking, code, message] of BAD) {
  test(`a request for ${what} is refused, with the reason and what to do`, async (t) => {
    const { request } = await asked(asking);
    const error = t.throws(() => checkLaptopRequest(request, ALICE), { code, message });
    t.regex(String(Reflect.get(error, "advice")), /\w/);
  });
}

test("a role is fine where it is the one the certificate gets", async (t) => {
  const { request } = await asked({ extensions: [modbusRole("Operator")] });
  t.notThrows(() => checkLaptopRequest(request, { ...ALICE, role: "Operator" }));
  t.throws(() => checkLaptopRequest(request, { ...ALICE, role: "Operato" }), { code: "extension-refused" });
});

/** A request that an RSA or foreign key signed, which niac's own writer does not. */
function foreign(type: "rsa" | "p521", bits = 2048): Buffer {
  const { publicKey, privateKey } =
    type === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: bits })
      : generateKeyPairSync("ec", { namedCurve: "P-521" });
  const info = der.sequence(
    der.integer(0),
    makeName([["CN", "alice"]]),
    publicKeyInfoOf(publicKey),
    der.tagged(0xa0),
  );
  const algorithm =
    type === "rsa"
      ? der.sequence(der.oid("1.2.840.113549.1.1.11"), der.nullValue())
      : der.sequence(der.oid("1.2.840.10045.4.3.4"));
  const hash = type === "rsa" ? "sha256" : "sha512";
  return der.sequence(info, algorithm, der.bitString(sign(hash, info, privateKey)));
}

test("RSA keys of 2,048 bits are taken, shorter ones and unknown kinds are not", (t) => {
  t.notThrows(() => checkLaptopRequest(readRequest(foreign("rsa")), ALICE));
  t.throws(() => checkLaptopRequest(readRequest(foreign("rsa", 1024)), ALICE), {
    code: "weak-key",
    message: /RSA key has 1024 bits, at least 2048/,
  });
  t.throws(() => checkLaptopRequest(readRequest(foreign("p521")), ALICE), { code: "algorithm-refused" });
});

const NAMES = { commonName: "box", dns: ["box.plant.example", "*.box.plant.example"], ip: ["10.0.0.1"] };

test("an appliance may ask for some of its names, and for no others", async (t) => {
  const some = await asked({
    commonName: "box",
    altNames: [{ dns: "box.plant.example" }, { ip: "10.0.0.1" }],
  });
  t.notThrows(() => checkApplianceRequest(some.request, NAMES));
  const both = await asked({ extensions: [extendedKeyUsage(["serverAuth", "clientAuth"])] });
  t.notThrows(() => checkApplianceRequest(both.request, NAMES));
  const names = [{ dns: "other.plant.example" }, { ip: "10.0.0.2" }, { uri: "urn:niac:group:admins" }];
  for (const name of names) {
    const { request } = await asked({ altNames: [{ dns: "box.plant.example" }, name] });
    t.throws(() => checkApplianceRequest(request, NAMES), { code: "name-refused" });
  }
  const other = await asked({ commonName: "press-4" });
  t.throws(() => checkApplianceRequest(other.request, NAMES), {
    code: "name-refused",
    message: /CN=press-4/,
  });
});
