/** The thread of `readAside`: one list in, judged and packed, or the reason why it is not taken. Imported anywhere else it does nothing. */
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import * as z from "zod";
import { PeerError } from "../base/index.ts";
import { crlReasonNumber, readCertificate, readCrl } from "../x509/index.ts";
import type { Aside } from "./crl-aside.ts";
import { judge } from "./crl-judge.ts";
import { EntryPacker, REMOVED } from "./crl-packed.ts";

const bytes = z.instanceof(Uint8Array);
const heldSchema = z.strictObject({
  number: z.bigint().nullable(),
  baseNumber: z.bigint().nullable(),
  thisUpdate: z.number(),
  nextUpdate: z.number(),
  baseHash: z.string(),
  hash: z.string(),
  entries: z.number(),
  changes: z.number(),
  received: z.number(),
  receivedBy: z.string(),
});
const askedSchema = z.strictObject({
  der: bytes,
  issuers: z.array(
    z.strictObject({
      issuer: z.string(),
      name: z.string(),
      signers: z.array(bytes),
      covers: z.enum(["users", "authorities"]),
      held: heldSchema.nullable(),
    }),
  ),
  now: z.number(),
});

function answer({ der, issuers, now }: z.infer<typeof askedSchema>): Aside {
  const hash = createHash("sha256").update(der).digest("hex");
  const list = readCrl(der);
  const readable = issuers.map((issuer) => ({ ...issuer, signers: issuer.signers.map(readCertificate) }));
  const judged = judge(list, hash, readable, now);
  const packer = new EntryPacker();
  if (!judged.same) {
    for (const { serialNumber, revokedAt, reason } of list.entries()) {
      const code = crlReasonNumber(reason);
      if (code === REMOVED && !judged.delta) {
        const message = `the list takes ${serialNumber} off a list, which only a delta can`;
        throw new PeerError("crl-malformed", message, "Have the authority issue its list anew.");
      }
      packer.add(Buffer.from(serialNumber, "hex"), revokedAt, code);
    }
  }
  const { number, thisUpdate, nextUpdate } = list;
  if (nextUpdate === null) throw new PeerError("crl-next-update", "the list has no end");
  return { ...judged, hash, number, thisUpdate, nextUpdate, entries: packer.take() };
}

if (parentPort) {
  try {
    const told = answer(askedSchema.parse(workerData));
    parentPort.postMessage({ told }, [told.entries.bytes.buffer]);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const { code, message, advice } = error;
    parentPort.postMessage({ refused: { code, message, advice } });
  }
}
