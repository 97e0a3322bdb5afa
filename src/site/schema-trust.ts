/** The schema of what laptops must be like, and of whom to trust beyond the appliance's own authority. */
import * as z from "zod";
import { readAuthority, readCertificates, readPublicKey } from "./pem.ts";
import { duration, mistake, name, readText, scalar, shown, text, type Reading } from "./scalar.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MAX_URL = 2_000;

/** The word of a management system's name that stands for the laptop itself. */
const LAPTOP = "laptop";

function readVersion(input: unknown): Reading<string> {
  const expected = `dotted numbers in quotes, e.g. "6.1" or "10.0.19045"`;
  if (typeof input === "number") return mistake(`${input} is a number, and 6.10 would be 6.1`, expected);
  if (typeof input === "string" && /^\d{1,9}(?:\.\d{1,9}){0,3}$/.test(input)) return { value: input };
  return mistake(`${shown(input)} is no version`, expected);
}

function readUrl(schemes: readonly string[]) {
  return (input: unknown): Reading<string> => {
    const expected = `a URL that begins with ${schemes.map((one) => `${one}://`).join(" or ")}`;
    const reading = readText(input, MAX_URL);
    if ("mistake" in reading) return reading;
    const url = URL.canParse(reading.value) ? new URL(reading.value) : null;
    if (url === null || !schemes.some((one) => url.protocol === `${one}:`))
      return mistake(`${shown(input)} is no such URL`, expected);
    if (url.username !== "" || url.password !== "" || url.hash !== "")
      return mistake("this URL has a user, a password or a #part", expected);
    return reading;
  };
}

const url = (description: string, ...schemes: string[]) =>
  scalar({ description, type: "string", maxLength: MAX_URL }, readUrl(schemes));

const version = (system: string) =>
  scalar({ description: `Least version of ${system}`, type: "string" }, readVersion).optional();

export const postureSchema = z.strictObject({
  maxAge: duration("Time from the making of a report until it is stale", MINUTE, 720 * HOUR, "24h").default(
    24 * HOUR,
  ),
  signedBy: z.enum([LAPTOP, "management", "any"]).default("any").meta({
    description: "Whose report counts: the laptop's own, a management system's, or either",
  }),
  diskEncryption: z.literal(true).optional().meta({ description: "The system's disk is encrypted" }),
  edr: z.literal(true).optional().meta({ description: "Endpoint detection and response runs" }),
  osVersion: z
    .strictObject({ linux: version("Linux"), windows: version("Windows"), macos: version("macOS") })
    .superRefine((given, context) => {
      if (Object.keys(given).length > 0) return;
      const params = { expected: "linux, windows or macos, with a version" };
      context.addIssue({ code: "custom", message: "this names no system", params });
    })
    .optional()
    .meta({ description: "Least versions; a system that is not listed will not do in any version" }),
});

const grace = z.strictObject({
  name: name("The grace's name, in records"),
  reason: text("Why it is there, and who answers for it", 1000),
  groups: z.array(text("A group's name")).min(1).meta({ description: "Groups that are let in all the same" }),
  for: duration("How long after revocation was last known", MINUTE, 720 * HOUR, "8h"),
});

export const authoritySchema = z.strictObject({
  certificate: scalar(
    {
      description:
        "PEM: the certificate of the authority that issues clients' certificates, then those above it up to the root",
      type: "string",
    },
    readAuthority,
  ),
  tenant: text("The tenant that all it issued belong to").optional(),
  tier: text("The tier of all it issued, whatever their certificates claim").optional(),
  revocation: z.enum(["crl", "ocsp", "unsafeUnchecked"]).meta({
    description:
      "How it is known what it revoked. unsafeUnchecked: it is not, and a certificate is good until it ends",
  }),
  crlUrl: url(
    "Where its revocation list is fetched. Without it, the list is brought by hand",
    "http",
    "https",
  ).optional(),
  crlEvery: duration("Time between fetches of its list", MINUTE, 168 * HOUR, "1h").default(HOUR),
  ocspUrl: url("Its OCSP responder", "http", "https").optional(),
  grace: grace.optional().meta({
    description: "Whom to let in for a while where it cannot be known what is revoked. Without it, nobody",
  }),
});

const certificates = (description: string) =>
  scalar({ description, type: "string" }, (input): Reading<string> => {
    const read = readCertificates(input);
    return "mistake" in read ? read : { value: read.value.map((one) => one.toString()).join("") };
  });

export const signInSchema = z.strictObject({
  issuer: url("The provider's issuer URL, as its discovery document says", "https"),
  clientId: text("The client that niac is registered as there"),
  clientSecret: text("Where the provider demands one of native programs; it is no secret").optional(),
  scopes: z
    .array(text("A scope"))
    .min(1)
    .default(["openid", "profile"])
    .meta({ description: "Scopes asked for; openid is one of them" }),
  userClaim: text("Claim of the ID token that holds the user").default("preferred_username"),
  groupsClaim: text("Claim of the ID token that holds the groups; without it, none").optional(),
  tier: z
    .enum(["managed", "byod", "contractor"])
    .meta({ description: "The tier of who enrols by signing in" }),
  tenant: text("The tenant of who enrols by signing in").optional(),
  ca: certificates(
    "PEM of the authority of the provider's HTTPS certificate; without it, the system's",
  ).optional(),
});

export const signerSchema = z.strictObject({
  key: scalar({ description: "PEM of the public key it signs with", type: "string" }, readPublicKey),
});

/** A name that is not the laptop's own. */
const signerName = scalar({ description: "The management system's name", type: "string" }, (input) => {
  const reading = readText(input);
  if ("mistake" in reading || reading.value !== LAPTOP) return reading;
  return mistake(`${LAPTOP} stands for the laptop itself`, "another name");
});

export const trustSchema = z.strictObject({
  authorities: z
    .record(name("The authority's name"), authoritySchema)
    .default({})
    .meta({ description: "Authorities beside the appliance's own, whose clients are let in" }),
  signIn: signInSchema.optional().meta({ description: "OpenID Connect: who may enrol by signing in" }),
  postureSigners: z
    .record(signerName, signerSchema)
    .default({})
    .meta({ description: "Management systems whose posture reports are taken" }),
});

export type PostureDocument = z.output<typeof postureSchema>;
export type AuthorityDocument = z.output<typeof authoritySchema>;
export type SignInDocument = z.output<typeof signInSchema>;
export type SignerDocument = z.output<typeof signerSchema>;
