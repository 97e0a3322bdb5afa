/** A site store and an audit log in one database, and documents for them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLog, createRecords, openDatabase, type Database } from "../../../src/audit/index.ts";
import { createSite, SiteStore } from "../../../src/control/site-store.ts";
import { createTrust } from "../../../src/control/trust-store.ts";
import { Site } from "../../../src/control/site.ts";
import type { Snapshot } from "../../../src/site/index.ts";
import { StillClock } from "../machine/requests.ts";

export interface Teardown {
  teardown(finish: () => void | Promise<void>): void;
}

export function documentOf(name: string, machines = "press-4"): string {
  return `niac: 1
site: { name: ${name}, appliance: box.plant.example, timeZone: UTC }
machines:
  ${machines}: { services: { plc: { protocol: modbus-tcp, address: 192.0.2.10 } } }
`;
}

/** Control's state in one directory; started again, it is another Bed on the same path. */
export class Bed {
  readonly path: string;
  readonly db: Database;
  readonly audit: AuditLog;
  readonly store: SiteStore;
  readonly clock = new StillClock();
  readonly changes: Snapshot[] = [];
  /** What the kernel says against every document. */
  refused: string | null = null;
  keySwitch: boolean | null = null;
  readonly site: Site;

  constructor(path: string) {
    this.path = path;
    this.clock.time = 1_780_000_000_000;
    this.db = openDatabase(path, [createRecords, createSite, createTrust]);
    this.audit = new AuditLog(this.db, "box", { clock: this.clock });
    this.store = new SiteStore(this.db);
    this.site = new Site(
      this.store,
      this.audit,
      "box",
      this.clock,
      (snapshot) => this.changes.push(snapshot),
      () => Promise.resolve(this.refused),
      () => ({ keySwitch: this.keySwitch }),
    );
  }

  static open(t: Teardown): Bed {
    const dir = mkdtempSync(join(tmpdir(), "niac-control-"));
    const bed = new Bed(join(dir, "niac.db"));
    t.teardown(() => {
      bed.db.close();
      rmSync(dir, { recursive: true, force: true });
    });
    return bed;
  }

  /** As after a crash: nothing is closed in an orderly way, and everything is read anew. */
  again(t: Teardown): Bed {
    const bed = new Bed(this.path);
    t.teardown(() => void bed.db.close());
    return bed;
  }
}
