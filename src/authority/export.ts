/** The whole authority as one file under a passphrase: to be restored on another box when this one is gone. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import * as z from "zod";
import { NIAC_VERSION, UsageError } from "../base/index.ts";
import { openBackup, sealBackup } from "../seal/index.ts";
import { fingerprintOf } from "./ca.ts";
import { backupSchema, type Backup } from "./export-schema.ts";
import type { AuthorityParts } from "./issue.ts";
import type { Authority } from "./store.ts";

/** Text. It is on record before anybody has it. */
export async function exportAuthority(
  parts: AuthorityParts,
  passphrase: string,
  by: string,
): Promise<Buffer> {
  const { store, audit, clock } = parts;
  const made = clock.now();
  const plain = Buffer.from(JSON.stringify(z.encode(backupSchema, await collect(parts, made))));
  let file: Buffer;
  try {
    file = await sealBackup(plain, passphrase);
  } finally {
    plain.fill(0);
  }
  const reason = `the authority of "${store.plant.name}", keys and all, exported by ${by} to a file under a passphrase`;
  const detail = { file: fingerprintOf(file) };
  await audit.append(
    [{ time: made, kind: "trust", id: `authority-export-${detail.file}`, reason, detail }],
    "now",
  );
  return file;
}

async function collect({ store, keys }: AuthorityParts, made: number): Promise<Backup> {
  const { plant } = store;
  const authorities: Backup["authorities"] = [];
  for (const authority of store.authorities) {
    const key = authority.key === null ? null : await keys.of(authority);
    authorities.push({ ...authority, key: key?.export({ type: "pkcs8", format: "der" }) ?? null });
  }
  const certificates = store.all({}, Number.MAX_SAFE_INTEGER).map((each) => ({
    ...each,
    subject: each.subject === null ? null : { ...each.subject, groups: [...each.subject.groups] },
  }));
  const lists = store.authorities.flatMap(({ id }) => {
    const list = store.list(id);
    return list === null ? [] : [{ authority: id, ...list }];
  });
  return {
    about: "niac authority",
    version: 1,
    niac: NIAC_VERSION,
    made,
    plant: { ...plant, lifetimes: { ...plant.lifetimes } },
    authorities,
    certificates,
    lists,
  };
}

/** When the backup was made. Throws a UsageError where there is an authority here already, or the file is not whole. */
export async function importAuthority(
  parts: AuthorityParts,
  file: Uint8Array,
  passphrase: string,
  by: string,
): Promise<number> {
  const { store, keys, audit, clock } = parts;
  checkNone(parts);
  const backup = parse(await openBackup(file, passphrase));
  checkWhole(backup);
  const { plant, made, certificates, lists } = backup;
  const authorities: Authority[] = [];
  for (const authority of backup.authorities) {
    const key = authority.key === null ? null : await keys.seal(authority.id, privateKey(authority.key));
    authority.key?.fill(0);
    authorities.push({ ...authority, key });
  }
  const reason = `the authority of "${plant.name}" imported by ${by} from a backup of ${new Date(made).toISOString()}`;
  const detail = { file: fingerprintOf(file), certificates: certificates.length };
  const time = clock.now();
  await audit.append(
    [{ time, kind: "trust", id: `authority-import-${time}-${detail.file}`, reason, detail }],
    "now",
    () => {
      store.reload();
      checkNone(parts);
      store.putPlant(plant);
      for (const authority of authorities) store.putAuthority(authority);
      for (const certificate of certificates) store.putCertificate(certificate);
      for (const { authority, ...list } of lists) store.putList(authority, list);
    },
  );
  store.reload();
  return made;
}

function checkNone({ store }: AuthorityParts): void {
  if (!store.initialised) return;
  throw new UsageError(
    "authority-there",
    `this appliance has an authority already, of "${store.plant.name}", and it is never overwritten`,
    "Import the backup on a box that has none.",
  );
}

function parse(plain: Buffer): Backup {
  try {
    return backupSchema.parse(JSON.parse(plain.toString("utf8")));
  } catch (error) {
    throw new UsageError(
      "backup-content",
      "the backup opens, but this niac does not understand what is in it",
      "Import it with the version of niac that wrote it, or a later one.",
      // The content holds keys: no error of a parser goes on with it.
      { cause: error instanceof z.ZodError ? error.name : undefined },
    );
  } finally {
    plain.fill(0);
  }
}

/** Each key is its certificate's, each authority's certificate that of the one above it, and each certificate of an authority there is. */
function checkWhole({ authorities, certificates, lists }: Backup): void {
  const ids = new Set(authorities.map(({ id }) => id));
  const stray = [...certificates, ...lists].find(({ authority }) => !ids.has(authority));
  if (stray !== undefined) throw notWhole(`it names an authority ${stray.authority} that is not in it`);
  for (const { name, certificate, fingerprint, key, parent } of authorities) {
    const read = x509(certificate, name);
    if (fingerprintOf(certificate) !== fingerprint)
      throw notWhole(`the certificate of "${name}" is another one`);
    if (key !== null && !read.checkPrivateKey(privateKey(key)))
      throw notWhole(`the key of "${name}" is another one's`);
    const above = authorities.find(({ id }) => id === (parent ?? -1))?.certificate ?? certificate;
    if (!read.verify(x509(above, name).publicKey))
      throw notWhole(`"${name}" is not signed by the one above it`);
  }
}

function x509(der: Buffer, name: string): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw notWhole(`the certificate of "${name}" cannot be read`);
  }
}

function privateKey(der: Buffer) {
  try {
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch {
    // OpenSSL's own words may hold parts of the key.
    throw notWhole("a key cannot be read");
  }
}

function notWhole(why: string): UsageError {
  return new UsageError(
    "backup-content",
    `the backup opens, but is not one that niac made: ${why}`,
    "Take another copy of the backup.",
  );
}
