import test from "ava";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readCertificate } from "../../../src/x509/certificate.ts";
import { nameText } from "../../../src/x509/name-text.ts";
import { Pki, type ClientOptions } from "../../support/pki.ts";

const pki = Pki.create();
test.after.always(() => pki.remove());
const root = pki.root("Plant Root");

/** As `openssl x509` prints it: RFC 2253 is RFC 4514's elder with the same rules for these names. */
function opensslText(path: string): string {
  const args = ["x509", "-in", path, "-noout", "-subject", "-nameopt", "RFC2253,utf8,-esc_msb"];
  const { status, stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.slice("subject=".length, -1);
}

const SUBJECTS: Readonly<Record<string, ClientOptions>> = {
  plain: { cn: "alice" },
  "several attributes": {
    cn: "alice",
    before: [
      ["C", "DE"],
      ["O", "Plant, Inc."],
      ["emailAddress", "alice@plant.example"],
    ],
  },
  "every special character": { cn: '#a"b+c,d;e<f>g\\h=i|j]k/l ' },
  "spaces at both ends": { cn: "  alice  " },
  "one space": { cn: " " },
  "CR, LF, tab, DEL": { cn: "a\r\nb\tc\x7fd" },
  "letters of many scripts": { cn: "Jürgen Łukasz 管理者 🛠", ou: ["línea 4", "γραμμή"] },
  "two OUs and two CNs": { cn: ["alice", "bob"], ou: ["x", "y"] },
};

for (const [label, options] of Object.entries(SUBJECTS)) {
  test(`openssl shows the same name: ${label}`, (t) => {
    const credential = root.client(options);
    const { subject } = readCertificate(new X509Certificate(credential.certPem).raw);
    t.is(nameText(subject), opensslText(credential.cert));
  });
}
