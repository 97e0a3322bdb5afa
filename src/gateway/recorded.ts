import type { RecordIdentity, RecordOperation } from "../audit/index.ts";
import type { Identity } from "../identity/index.ts";
import type { FileRecord, Operation } from "../modbus/index.ts";

/** An operation as it stands on record: its parts that are there, values included. */
export function recordedOperation(operation: Operation): RecordOperation {
  const { unit, functionCode, subFunction, reads, writes, files, data } = operation;
  return {
    unit,
    functionCode,
    ...(subFunction < 0 ? {} : { subFunction }),
    ...(reads ? { reads: { table: reads.table, address: reads.address, quantity: reads.quantity } } : {}),
    ...(writes
      ? {
          writes: {
            table: writes.table,
            address: writes.address,
            quantity: writes.quantity,
            ...("values" in writes ? { values: [...writes.values] } : { and: writes.and, or: writes.or }),
          },
        }
      : {}),
    ...(files.length > 0 ? { files: files.map(recordedFile) } : {}),
    ...(data.length > 0 ? { data: Buffer.from(data).toString("hex") } : {}),
  };
}

function recordedFile({
  file,
  record,
  length,
  values,
}: FileRecord): NonNullable<RecordOperation["files"]>[number] {
  return values.length > 0 ? { file, record, length, values: [...values] } : { file, record, length };
}

export function recordedIdentity(identity: Identity): RecordIdentity {
  const { kind, user, device, groups, role, tier, tenant, serialNumber, fingerprint } = identity;
  const recorded = { user, device, groups, role, tier, tenant, serialNumber, fingerprint };
  return kind === "certificate" ? recorded : { kind, ...recorded };
}
