/** A box's identity and claim code over a log, a database and a keyring that are real. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AuditLog,
  createRecords,
  openDatabase,
  type AuditRecord,
  type Database,
} from "../../../src/audit/index.ts";
import { ClaimDesk } from "../../../src/control/claim.ts";
import { BoxIdentity, createIdentity } from "../../../src/control/identity.ts";
import { openKeyring } from "../../../src/seal/index.ts";
import { StillClock } from "../machine/requests.ts";
import type { Teardown } from "./site.ts";

export class ClaimBed {
  readonly dir: string;
  readonly db: Database;
  readonly audit: AuditLog;
  readonly clock = new StillClock();
  readonly identity: BoxIdentity;
  readonly desk: ClaimDesk;

  private constructor(dir: string) {
    this.dir = dir;
    this.clock.time = 1_780_000_000_000;
    this.db = openDatabase(join(dir, "niac.db"), [createRecords, createIdentity]);
    this.audit = new AuditLog(this.db, "box", { clock: this.clock });
    const seal = { tpm: "none", keyFile: null, passphraseFile: null };
    const machineId = join(dir, "machine-id");
    this.identity = new BoxIdentity(
      this.db,
      () => openKeyring({ seal, stateDir: dir, machineId }),
      this.clock,
    );
    this.desk = new ClaimDesk(this.identity, this.audit, this.clock, "box");
  }

  static open(t: Teardown): ClaimBed {
    const dir = mkdtempSync(join(tmpdir(), "niac-claim-"));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(join(dir, "machine-id"), `${"0123456789abcdef".repeat(2)}\n`);
    return new ClaimBed(dir).closedBy(t);
  }

  /** As after a restart of control. */
  again(t: Teardown): ClaimBed {
    return new ClaimBed(this.dir).closedBy(t);
  }

  closedBy(t: Teardown): this {
    t.teardown(() => void this.db.close());
    return this;
  }

  records(): readonly AuditRecord[] {
    return this.audit.read({ limit: 100, reverse: false });
  }

  /** All that is on the disk, whatever it is. */
  onDisk(): Buffer {
    this.db.pragma("wal_checkpoint(TRUNCATE)");
    return readFileSync(join(this.dir, "niac.db"));
  }
}
