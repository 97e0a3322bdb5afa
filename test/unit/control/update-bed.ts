/** A box whose RAUC is a table of slots: what it was told, and what it says. The database and the record are real. */
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { pino } from "pino";
import type {
  BundleFacts,
  ImageBox,
  Rauc,
  RaucProgress,
  RaucSlot,
  Slot,
} from "../../../src/appliance/index.ts";
import { AuditLog, createRecords, openDatabase, type AuditRecord } from "../../../src/audit/index.ts";
import { systemClock, UnavailableError } from "../../../src/base/index.ts";
import type { UpdateParts } from "../../../src/control/update-parts.ts";
import { createUpdates, UpdateStore } from "../../../src/control/update-store.ts";
import { directory } from "../audit/samples.ts";

export const BUNDLE: BundleFacts = {
  version: "0.2.0",
  compatible: "niac-rpi4",
  hash: "ab".repeat(32),
  description: "niac 0.2.0 for Raspberry Pi 4",
  slots: ["boot", "root"],
};
export const ASKED = { source: "/data/niac.raucb", by: "alice", allowDowngrade: false, again: false };

export class TableRauc implements Rauc {
  bundle: BundleFacts | Error = BUNDLE;
  /** What is written where this is not the bundle that was inspected. */
  written: Partial<BundleFacts> = {};
  /** Answers to progress(), the last one for ever. */
  steps: (RaucProgress | Error)[] = [
    { busy: true, percent: 0, step: "Installing", error: "" },
    { busy: true, percent: 70, step: "Copying image to root.1", error: "" },
    { busy: false, percent: 100, step: "Installing done.", error: "" },
  ];
  /** Broken off after the first image. */
  half = false;
  default: Slot = "A";
  /** What runs, and whether calling it good makes it the default. */
  booted: Slot = "A";
  commits = true;
  /** Where it writes. */
  into: Slot = "B";
  readonly marks: string[] = [];
  refuses: string | null = null;
  #slots: RaucSlot[] = [];

  inspect(_source: string, _ca: string | null): Promise<BundleFacts> {
    return this.bundle instanceof Error ? Promise.reject(this.bundle) : Promise.resolve(this.bundle);
  }

  install(_source: string, _ca: string | null, transaction: string, _hash: string): Promise<void> {
    if (this.refuses !== null) return Promise.reject(new UnavailableError("rauc-refused", this.refuses));
    const { version, hash } = {
      ...BUNDLE,
      ...(this.bundle instanceof Error ? {} : this.bundle),
      ...this.written,
    };
    const whole = { version, hash, transaction };
    const none = { version: null, hash: null, transaction: null };
    const [a, b] = this.into === "A" ? [whole, none] : [none, whole];
    this.#slots = [
      { name: "root.0", slot: "A", parent: null, ...(this.half ? none : a) },
      { name: "boot.0", slot: null, parent: "root.0", ...a },
      { name: "root.1", slot: "B", parent: null, ...(this.half ? none : b) },
      { name: "boot.1", slot: null, parent: "root.1", ...b },
    ];
    return Promise.resolve();
  }

  progress(): Promise<RaucProgress> {
    const step = this.steps.length > 1 ? this.steps.shift() : this.steps[0];
    if (step === undefined || step instanceof Error)
      return Promise.reject(step ?? new UnavailableError("rauc-away", "no answer"));
    return Promise.resolve(step);
  }

  slots(): Promise<RaucSlot[]> {
    return Promise.resolve(this.#slots);
  }

  primary(): Promise<Slot> {
    return Promise.resolve(this.default);
  }

  mark(state: "active" | "good" | "bad", slot: "booted" | "other"): Promise<void> {
    this.marks.push(`${state} ${slot}`);
    if (this.refuses !== null) return Promise.reject(new UnavailableError("rauc-refused", this.refuses));
    if (state === "good" && this.commits) this.default = this.booted;
    return Promise.resolve();
  }
}

export interface UpdateBed {
  readonly rauc: TableRauc;
  readonly store: UpdateStore;
  readonly parts: UpdateParts;
  /** What needs a person's eye, as it was told last. */
  readonly faults: (string | null)[];
  /** How often a restart was asked for. */
  restarts: number;
  sessions: number;
  unhealthy: string[];
  failure: string | null;
  /** Records of the box itself, `action reason`. */
  said(): string[];
  records(): AuditRecord[];
  /** The same box, as it is after a start of it or of control alone. */
  as(box: Partial<ImageBox>): UpdateParts;
}

export function updateBed(t: ExecutionContext): UpdateBed {
  const db = openDatabase(join(directory(t), "niac.db"), [createRecords, createUpdates]);
  t.teardown(() => db.close());
  const audit = new AuditLog(db, "box-1");
  const rauc = new TableRauc();
  const store = new UpdateStore(db);
  const box: ImageBox = {
    slot: "A",
    tryboot: false,
    version: "0.1.0",
    board: "rpi4",
    bootId: "one",
    damaged: null,
  };
  const bed: UpdateBed = {
    rauc,
    store,
    faults: [],
    restarts: 0,
    sessions: 0,
    unhealthy: [],
    failure: null,
    records: () => audit.read({ limit: 100 }).filter(({ kind }) => kind === "box"),
    said: () => bed.records().map(({ detail, reason }) => `${String(detail?.["action"])} ${reason ?? ""}`),
    as: (changes) => {
      rauc.booted = changes.slot ?? box.slot;
      return { ...bed.parts, box: { ...box, ...changes } };
    },
    parts: {
      store,
      audit,
      clock: systemClock,
      log: pino({ level: "silent" }),
      box,
      rauc,
      settings: { server: null, ca: null, usb: "install" },
      floor: () => "0.1.0",
      lastFailure: () => bed.failure,
      sessions: () => Promise.resolve(bed.sessions),
      unhealthy: () => Promise.resolve(bed.unhealthy),
      restart: () => {
        bed.restarts++;
      },
      fault: (why) => bed.faults.push(why),
    },
  };
  return bed;
}
