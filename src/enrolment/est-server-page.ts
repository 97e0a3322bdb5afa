import { plain, type HttpReply } from "./http-reply.ts";

/** What a host is called in a command; anything else in the header Host is not shown. */
const HOST = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/;

/** For a person who opens the address in a browser. `fingerprint`: hexadecimal, of the root; `host`: as the browser sent it. */
export function page(fingerprint: string | null, host: string | null): HttpReply {
  if (fingerprint === null) {
    return plain(200, "This is a niac appliance. It has no certificate authority yet.\n");
  }
  const box = host !== null && HOST.test(host) ? host : "<this address>";
  return plain(
    200,
    [
      "This is a niac appliance: laptops get their certificates here.",
      "",
      "Its root authority has the SHA-256 fingerprint",
      `  ${fingerprint}`,
      "Compare it with what the plant admin tells you (niac authority show), not with this page alone.",
      "",
      "To enrol this laptop:",
      `  niac enroll https://${box} --fingerprint sha256:${fingerprint}`,
      "",
    ].join("\n"),
  );
}
