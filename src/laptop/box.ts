/** Which box is the right one, where neither a fingerprint nor an authority was given: the person compares. */
import { X509Certificate } from "node:crypto";
import { exchange, fingerprintOf } from "../est/index.ts";
import { PeerError, UsageError } from "../base/index.ts";
import { readCertsOnly } from "../x509/index.ts";
import type { BoxTrust } from "./enroll-options.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

const TIMEOUT = 15_000;
const MAX_ANSWER = 262_144;

/**
 * Asks the box for its root, which proves nothing yet, and the person whether it is the right one. Throws a UsageError where
 * there is nobody to ask, or the answer was no.
 */
export async function comparedTrust(box: string, around: LaptopSurroundings): Promise<BoxTrust> {
  const roots = await shownRoots(box);
  const [root, ...more] = roots;
  if (root === undefined || more.length > 0) {
    const what = root === undefined ? "shows no root authority" : `shows ${roots.length} root authorities`;
    throw new UsageError(
      "box-unknown",
      `${box} ${what}, and nothing says which to trust${roots.map((each) => `\n  sha256:${each}`).join("")}`,
      "Give the right one with --fingerprint sha256:..., as `niac authority show` prints it on the box.",
    );
  }
  const answer = await around.ask(
    [
      `${box} says that its root authority has the fingerprint`,
      "",
      ...inRows(root),
      "",
      "Compare it with what `niac authority show` prints on the box, or with what the plant admin told you.",
      "Is it the same? [yes/no] ",
    ].join("\n"),
    false,
  );
  if (answer?.trim().toLowerCase() === "yes") return { fingerprint: root };
  if (answer === null) {
    throw new UsageError(
      "box-unknown",
      `nothing says which box is the right one, and there is nobody here to ask; ${box} shows the root\n  sha256:${root}`,
      "If `niac authority show` prints the same on the box, give it with --fingerprint. Nothing was sent.",
    );
  }
  throw new UsageError(
    "box-wrong",
    `${box} was not confirmed; nothing was sent to it`,
    "If the fingerprint differs from that of the box, somebody may stand in between: tell the plant admin.",
  );
}

/** Fingerprints of the self-signed authorities that whoever answers shows, each once. */
async function shownRoots(box: string): Promise<string[]> {
  const answer = await exchange({
    url: new URL("/.well-known/est/cacerts", box),
    method: "GET",
    headers: {},
    body: null,
    ca: null,
    credentials: null,
    timeout: TIMEOUT,
    limit: MAX_ANSWER,
  });
  if (answer.status !== 200) {
    throw new PeerError(
      "box-no-authority",
      `${box} does not enrol laptops: it answers with status ${answer.status}`,
      "Is it the address for enrolment (NIAC_LISTEN_ENROLL, port 443 by default), and has the box an authority (`niac authority init`)?",
    );
  }
  const given = readCertsOnly(Buffer.from(answer.body.toString("latin1"), "base64"));
  return [...new Set([...given, ...answer.shown].filter(isRoot).map(fingerprintOf))];
}

function isRoot(der: Uint8Array): boolean {
  const certificate = new X509Certificate(der);
  return certificate.ca && certificate.verify(certificate.publicKey);
}

/** Hexadecimal in groups of four, eight to a row. */
function inRows(fingerprint: string): string[] {
  const groups = fingerprint.match(/.{4}/g) ?? [];
  return [groups.slice(0, 8), groups.slice(8)].map((row) => `    ${row.join(" ")}`);
}
