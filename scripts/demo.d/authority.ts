/**
 * The demo's throw-away authority: node authority.ts <directory> <address>. Makes box.crt (its own name, and the address it answers
 * at), alice.crt, bob.crt with their keys, and ca.crt. Keys and certificates are openssl's and live for a day.
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { Pki, type Credential } from "../../test/support/pki.ts";

const [directory, address] = process.argv.slice(2);
if (directory === undefined || address === undefined) {
  throw new Error("usage: node authority.ts <directory> <address>");
}
const root = Pki.create(join(directory, "made")).root("niac demo root", { days: 1 });

function put(name: string, credential: Credential): void {
  copyFileSync(credential.fullChain, join(directory ?? "", `${name}.crt`));
  copyFileSync(credential.key, join(directory ?? "", `${name}.key`));
}

put("ca", root.credential);
put("box", root.server({ dns: ["box-1.demo.example"], ip: [address], days: 1 }));
put("alice", root.client({ cn: "alice", ou: ["maintenance"], days: 1 }));
put("bob", root.client({ cn: "bob", days: 1 }));
