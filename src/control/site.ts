import type { AuditLog } from "../audit/index.ts";
import { UsageError, type Clock } from "../base/index.ts";
import type { PanelState, SiteVersion } from "../link/index.ts";
import {
  diffSites,
  formatChange,
  formatFinding,
  openSources,
  parseSite,
  withoutKeySwitch,
  withVersion,
  type Snapshot,
} from "../site/index.ts";
import { parseAside } from "./parse-aside.ts";
import type { SiteStore } from "./site-store.ts";

export interface Applied {
  readonly applied: SiteVersion | null;
  readonly report: string[];
}

/**
 * The site document in force. A new one is checked whole, kept, recorded, and only then takes effect; whatever fails on the way
 * leaves the old one serving.
 */
export class Site {
  readonly #store: SiteStore;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #changed: (snapshot: Snapshot) => void;
  readonly #refused: (snapshot: Snapshot) => Promise<string | null>;
  readonly #panel: () => PanelState;
  #snapshot: Snapshot;
  #busy = false;

  /**
   * `changed` is called with each that takes effect; `refused` says what stands against one, or null; `panel` what the box's panel says.
   * Throws where the stored document cannot be compiled by this version of niac: better none than a guess.
   */
  constructor(
    store: SiteStore,
    audit: AuditLog,
    origin: string,
    clock: Clock,
    changed: (snapshot: Snapshot) => void,
    refused: (snapshot: Snapshot) => Promise<string | null>,
    panel: () => PanelState,
  ) {
    this.#store = store;
    this.#audit = audit;
    this.#clock = clock;
    this.#changed = changed;
    this.#refused = refused;
    this.#panel = panel;
    this.#settle();
    const current = store.current();
    this.#snapshot = current ? compiled(current.text, current.version) : emptySite(origin);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  async apply(text: string, fileName: string, by: string, note: string): Promise<Applied> {
    if (this.#busy)
      throw new UsageError("site-busy", "another site document is being applied", "Try again in a moment.");
    this.#busy = true;
    try {
      return await this.#apply(text, fileName, by, note);
    } finally {
      this.#busy = false;
    }
  }

  /** As apply(), where the box has none yet. Throws a UsageError where it has. */
  async applyFirst(text: string, fileName: string, by: string, note: string): Promise<Applied> {
    const { version } = this.#snapshot;
    if (version === 0) return this.apply(text, fileName, by, note);
    throw new UsageError(
      "site-there",
      `version ${version} of a site document is in force on this box, and ${fileName} was to be the first`,
      "Apply it with: niac site apply <file>.",
    );
  }

  /** Applies the text of an earlier version as a new one. */
  rollback(version: number, by: string): Promise<Applied> {
    const { text } = this.#store.get(version);
    return this.apply(text, `version ${version}`, by, `rollback to version ${version}`);
  }

  /** What was prepared and is on record as applied counts as a version, whatever happened between the two. */
  #settle(): void {
    const prepared = this.#store.prepared();
    if (prepared && this.#audit.byId(recordId(prepared))) this.#store.confirm(prepared.version);
  }

  async #apply(text: string, fileName: string, by: string, note: string): Promise<Applied> {
    const { snapshot, findings } = await parseAside(text, fileName);
    const report = findings.map((finding) => formatFinding(finding, fileName, text));
    if (!snapshot) return { applied: null, report };
    const problem = await this.#refused(snapshot);
    if (problem !== null) {
      return {
        applied: null,
        report: [
          ...report,
          `nothing was changed: the kernel refuses the ruleset of this document: ${problem}`,
        ],
      };
    }
    const changes = diffSites(this.#snapshot.version === 0 ? null : this.#snapshot, snapshot);
    this.#settle();
    const version = this.#store.prepare(text, by, note, this.#clock.now());
    const lines = changes.map(formatChange);
    await this.#audit.append(
      [
        {
          time: version.appliedAt,
          kind: "site",
          id: recordId(version),
          reason:
            note === ""
              ? `site document applied by ${by}`
              : `site document applied by ${by}: ${note}`.slice(0, 1000),
          siteVersion: version.version,
          counts: { changes: changes.length },
          detail: { changes: lines.join("; ").slice(0, 1000), hash: version.hash },
        },
      ],
      "now",
    );
    this.#store.confirm(version.version);
    this.#snapshot = withVersion(snapshot, version.version);
    this.#changed(this.#snapshot);
    const open = openSources(snapshot, this.#clock.now());
    const keyless = this.#panel().keySwitch === null ? withoutKeySwitch(snapshot) : null;
    const notes = [open, keyless].filter((one) => one !== null);
    return { applied: version, report: [...report, ...lines, ...notes] };
  }
}

function recordId(version: SiteVersion): string {
  return `site-${version.version}-${version.hash.slice(0, 16)}-${version.appliedAt}`;
}

function compiled(text: string, version: SiteVersion): Snapshot {
  const name = `version ${version.version}`;
  const { snapshot, findings } = parseSite(text, name);
  if (snapshot) return withVersion(snapshot, version.version);
  throw new UsageError(
    "site-stored",
    `the stored site document, ${name}, is not understood by this version of niac:\n${findings
      .map((finding) => formatFinding(finding, name, text))
      .join("\n")}`,
    "Run the version of niac that applied it, or apply a corrected document there first.",
  );
}

/** A box that was told nothing: no machine, no grant, every connection refused. */
function emptySite(origin: string): Snapshot {
  const { snapshot } = parseSite(
    `niac: 1\nsite: { name: ${JSON.stringify(origin)}, appliance: unconfigured.invalid, timeZone: UTC }\n`,
    "empty",
  );
  if (!snapshot) throw new UsageError("site-empty", "the empty site document is not understood");
  return snapshot;
}
