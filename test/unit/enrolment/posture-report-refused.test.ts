import { createHmac, generateKeyPairSync } from "node:crypto";
import test from "ava";
import { HttpRefusal } from "../../../src/enrolment/http-reply.ts";
import type { PostureSide } from "../../../src/enrolment/posture-report.ts";
import { jws, laptopReport, managedReport, POSTURE_TYPE } from "../../support/posture.ts";
import {
  alice,
  AT,
  good,
  HEADER,
  managed,
  mdm,
  p256,
  PAYLOAD,
  read,
  SPKI,
  withHeader,
  withPayload,
} from "./posture-side.ts";

const refused = test.macro(
  async (
    t,
    make: () => string,
    code: string,
    status: number,
    words: RegExp,
    more: Partial<PostureSide> = {},
  ) => {
    const error = await t.throwsAsync(read(make(), more), { instanceOf: HttpRefusal });
    t.is(error.code, code);
    t.like(error.words, { status, stage: "posture" });
    t.regex(error.message, words);
    t.not(error.words.advice, "");
  },
);

const malformed = (make: () => string, words: RegExp) =>
  [refused, make, "posture-format", 400, words] as const;
test("refused: nothing", ...malformed(() => "", /not three parts/));
test("refused: two parts", ...malformed(() => good().replace(/\.[^.]*$/, ""), /not three parts/));
test("refused: no signature", ...malformed(() => good().replace(/[^.]*$/, ""), /not three parts/));
test("refused: padding", ...malformed(() => `${good()}==`, /not three parts/));
test(
  "refused: JSON serialization",
  ...malformed(() => JSON.stringify({ payload: "", signatures: [] }), /not three parts/),
);
test("refused: another type", ...malformed(withHeader({ typ: "JWT" }), /typ/));
test("refused: no type", ...malformed(withHeader({ typ: undefined }), /typ/));
test("refused: a critical header", ...malformed(withHeader({ crit: ["b64"], b64: false }), /crit/));
test("refused: signed by two", ...malformed(withHeader({ kid: "mdm-1" }), /one of kid and x5t#S256/));
test(
  "refused: signed by nobody",
  ...malformed(withHeader({ "x5t#S256": undefined }), /one of kid and x5t#S256/),
);
test(
  "refused: alg none",
  ...malformed(
    () => `${jws(p256.privateKey, { header: { ...HEADER, alg: "none" }, payload: PAYLOAD })}AA`,
    /its alg is not ES256/,
  ),
);
test(
  "refused: another key's algorithm",
  ...malformed(() => good().replace(/^[^.]*/, encoded({ ...HEADER, alg: "RS256" })), /its alg is not ES256/),
);
test("refused: the public key taken for a secret", ...malformed(() => hmacSigned(), /its alg is not ES256/));
test("refused: no device", ...malformed(withPayload({ device: undefined }), /device/));
test("refused: a device of 256 characters", ...malformed(withPayload({ device: "x".repeat(256) }), /device/));
test(
  "refused: an escape sequence in a name",
  ...malformed(withPayload({ device: "laptop-7\u001b[2J" }), /cannot be shown/),
);
test(
  "refused: a version that turns the text's direction",
  ...malformed(withPayload({ facts: { os: { name: "linux", version: "6.1\u202e" } } }), /cannot be shown/),
);
test(
  "refused: a version of 101 characters",
  ...malformed(withPayload({ facts: { os: { name: "linux", version: "1".repeat(101) } } }), /version/),
);
test(
  "refused: an unknown system",
  ...malformed(withPayload({ facts: { os: { name: "plan9", version: "4" } } }), /os\.name/),
);
test(
  "refused: a fact that is a word",
  ...malformed(withPayload({ facts: { diskEncryption: "yes" } }), /diskEncryption/),
);
test("refused: no facts", ...malformed(withPayload({ facts: undefined }), /facts/));
test("refused: no time", ...malformed(withPayload({ iat: undefined }), /iat/));
test("refused: a time in words", ...malformed(withPayload({ iat: "2026-06-01" }), /iat/));
test("refused: a time before all", ...malformed(withPayload({ iat: -1 }), /iat/));
test(
  "refused: a payload that is no UTF-8",
  ...malformed(
    () => jws(p256.privateKey, { header: HEADER, bytes: Buffer.of(0x22, 0xff, 0x22) }),
    /not JSON/,
  ),
);

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function hmacSigned(): string {
  const input = `${encoded({ ...HEADER, alg: "HS256" })}.${encoded(PAYLOAD)}`;
  const secret = p256.publicKey.export({ type: "spki", format: "pem" });
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

test(
  "refused: another's signature",
  refused,
  () =>
    laptopReport(
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
      alice.certificate,
      "laptop-7",
      AT,
    ).replace(/^[^.]*/, encoded(HEADER)),
  "posture-signature",
  403,
  /not one of this laptop's key/,
);
test(
  "refused: a payload changed afterwards",
  refused,
  () => good().replace(/\.[^.]*\./, `.${encoded({ ...PAYLOAD, device: "laptop-7", iat: AT + 1 })}.`),
  "posture-signature",
  403,
  /not one of this laptop/,
);
test(
  "refused: another device",
  refused,
  withPayload({ device: "laptop-8" }),
  "posture-device",
  403,
  /this one is laptop-7, and the report is about laptop-8/,
);
test(
  "refused: a device in other letters",
  refused,
  withPayload({ device: "Laptop-7" }),
  "posture-device",
  403,
  /Laptop-7/,
);
test(
  "refused: another certificate's name",
  refused,
  withHeader({ "x5t#S256": "AAAA" }),
  "posture-certificate",
  403,
  /another certificate/,
);
test(
  "refused: a laptop's report over a connection without a certificate",
  refused,
  good,
  "posture-no-certificate",
  401,
  /shows none/,
  { identity: null, certificate: null },
);
test(
  "refused: a certificate that names no device",
  refused,
  good,
  "posture-no-device",
  403,
  /names no device/,
  { identity: { ...alice.identity, device: null }, device: null },
);
test(
  "refused: a management system that the site document does not name",
  refused,
  () => managedReport(mdm.privateKey, "mdm-2", "laptop-7", AT),
  "posture-signer",
  403,
  /names no management system mdm-2/,
);
test(
  "refused: a management system's name that a laptop signs with",
  refused,
  () =>
    managedReport(p256.privateKey, "mdm-1", "laptop-7", AT).replace(
      /^[^.]*/,
      encoded({ typ: POSTURE_TYPE, alg: "EdDSA", kid: "mdm-1" }),
    ),
  "posture-signature",
  403,
  /not one of mdm-1/,
);
test(
  "refused: the laptop's own word in a management system's place",
  refused,
  () => managedReport(p256.privateKey, "laptop", "laptop-7", AT),
  "posture-signer",
  403,
  /names no management system laptop/,
);
test(
  "refused: a management system's key of another kind",
  refused,
  () => managedReport(mdm.privateKey, "mdm-1", "laptop-7", AT),
  "posture-key",
  403,
  /kind that signs no reports/,
  {
    signers: [{ name: "mdm-1", key: generateKeyPairSync("x25519").publicKey.export(SPKI).toString() }],
  },
);

const whose = (said: object, code: string, words: RegExp, more: Partial<PostureSide> = {}) =>
  [refused, managed(said), code, 403, words, more] as const;
const OUTSIDE_ALONE = { issuers: [{ name: "corporate", tenant: null, outside: true }] };
test(
  "refused: an authority that nobody named",
  ...whose({ authority: "Corporate" }, "posture-authority", /names no authority Corporate/),
);
test(
  "refused: one of the plant's own authorities, which change with the years",
  ...whose({ authority: "managed 3" }, "posture-authority", /names no authority managed 3/),
);
test(
  "refused: another tenant than the authority's",
  ...whose({ authority: "vendor-x", tenant: "other" }, "posture-tenant", /stands for tenant acme/),
);
test(
  "refused: a tenant where the authority has none",
  ...whose({ authority: "corporate", tenant: "acme" }, "posture-tenant", /stands for no tenant/),
);
test(
  "refused: a tenant that the plant has no authority for",
  ...whose({ tenant: "other" }, "posture-tenant", /none of the plant's own authorities is for tenant other/),
);
test(
  "refused: a tenant, where the settings' files alone say who is let in",
  ...whose({ tenant: "acme" }, "posture-tenant", /tenant acme/, { issuers: [] }),
);
test(
  "refused: nobody's device, where the plant has no authority of its own",
  ...whose({}, "posture-tenant", /must say whose device/, OUTSIDE_ALONE),
);
test("refused: an authority that is a number", ...malformed(managed({ authority: 7 }), /authority/));
test("refused: a tenant without a name", ...malformed(managed({ tenant: "" }), /tenant/));
