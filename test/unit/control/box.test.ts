import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import type { BoxLight, Health, PanelEdge } from "../../../src/appliance/index.ts";
import { UnavailableError, type Call } from "../../../src/base/index.ts";
import { Box, STATE_FILE } from "../../../src/control/box.ts";
import type { RulesetState } from "../../../src/control/netd-link.ts";
import { PanelStore } from "../../../src/control/panel-store.ts";
import { netdStatus, type NetdStatus, type OwnCertificateState } from "../../../src/link/index.ts";
import { UNKNOWN_INPUTS } from "../../../src/appliance/index.ts";
import { MINUTE, PanelBed } from "./panel-bed.ts";

const NETWORK: NetdStatus = { site: 3, mode: "inline", ports: [], problems: [], refused: {} };

/** The box with a real log; its lamps are remembered, its processes are as the test says. */
class BoxBed {
  readonly shown: BoxLight[] = [];
  readonly around: PanelBed;
  readonly box: Box;
  readonly netd: { state: "absent" | "attached" | "away"; ruleset: RulesetState } = {
    state: "attached",
    ruleset: { problem: null },
  };
  network = NETWORK;
  attached = true;
  certificate: OwnCertificateState | null;
  site = 3;
  health: Health = { temperature: 40, clockChip: "keeps time", storage: null, sealed: null };
  problem: string | null = null;
  turn: (edges: readonly PanelEdge[]) => void = () => {};

  constructor(t: ExecutionContext, { panel = true, cable = true } = {}) {
    const around = (this.around = PanelBed.open(t));
    const { netd } = this;
    if (!cable) netd.state = "absent";
    this.certificate = { notAfter: around.clock.time + 60 * MINUTE, problem: null };
    const attached = (): boolean => this.attached;
    this.box = new Box({
      hardware: {
        show: (light) => void this.shown.push(light),
        openPanel: (changed) => {
          if (!panel) return null;
          this.turn = changed;
          const problem = (): string | null => this.problem;
          return {
            inputs: UNKNOWN_INPUTS,
            get problem() {
              return problem();
            },
            look() {},
            close() {},
          };
        },
        health: () => this.health,
      },
      audit: around.audit,
      clock: around.clock,
      log: pino({ level: "silent" }),
      store: new PanelStore(around.db),
      gateway: {
        get attached() {
          return attached();
        },
        call: () => Promise.reject(new UnavailableError("gateway-away", "away")),
      },
      netd: {
        get state() {
          return netd.state;
        },
        get ruleset() {
          return netd.ruleset;
        },
        call: (call) => this.#netd(call),
      },
      site: () => this.site,
      clockBehind: () => 0,
      ownCertificate: () => this.certificate,
      buttonAllows: 0,
      runDir: around.dir,
    });
    t.teardown(() => this.box.close());
  }

  /** Time passes as the box's own timer would have it. */
  async pass(milliseconds = 0): Promise<void> {
    for (let left = milliseconds; left >= 0; left -= 500) {
      this.box.look();
      await this.around.stored();
      if (left > 0) this.around.clock.time += Math.min(left, 500);
    }
  }

  get light(): BoxLight | undefined {
    return this.shown.at(-1);
  }

  get text(): string {
    return readFileSync(join(this.around.dir, STATE_FILE), "utf8");
  }

  #netd<Params, Result>(call: Call<Params, Result>): Promise<Result> {
    if (call.name !== netdStatus.name) return Promise.reject(new UnavailableError("netd", "no such call"));
    return Promise.resolve(call.result.parse(this.network));
  }
}

test("a box starts, protects, and stops, and says so", async (t) => {
  const bed = new BoxBed(t);
  t.like(bed.light, { phase: "starting", protection: "part" });
  t.is(bed.text, "niac starts\n");
  bed.box.ready();
  await bed.pass(500);
  t.deepEqual(bed.light, {
    phase: "running",
    protection: "whole",
    sessions: "none",
    refused: false,
    fault: "none",
  });
  t.is(bed.text, "protected: version 3 of the site document is in force\n");
  bed.box.close();
  t.like(bed.light, { phase: "stopping", protection: "part" });
  t.is(bed.text, "niac stops\n");
});

test("protected is only said while all of it is so", async (t) => {
  const cases: ReadonlyArray<[(bed: BoxBed) => void, RegExp]> = [
    [(bed) => (bed.attached = false), /^not whole: a part of niac does not run/],
    [(bed) => (bed.netd.state = "away"), /^not whole: a part of niac does not run/],
    [(bed) => (bed.network = { ...NETWORK, site: 2 }), /^not whole: version 3 .* is not in force/],
    [(bed) => (bed.network = { ...NETWORK, mode: "closed" }), /^not whole: version 3 .* is not in force/],
    [
      (bed) => (bed.certificate = { notAfter: null, problem: null }),
      /^nobody can connect: .* no certificate/,
    ],
    [(bed) => (bed.certificate = null), /^nobody can connect/],
    [(bed) => (bed.certificate = { notAfter: 1, problem: null }), /^not whole/],
    [(bed) => ((bed.site = 0), (bed.network = { ...NETWORK, site: 0 })), /^closed: no site document/],
  ];
  for (const [change, text] of cases) {
    const bed = new BoxBed(t);
    bed.box.ready();
    await bed.pass(500);
    t.is(bed.light?.protection, "whole");
    change(bed);
    // Another ruleset is what makes it ask netd before its time.
    bed.netd.ruleset = { problem: null };
    await bed.pass(500);
    if (bed.site !== 0) t.is(bed.light?.protection, "part", String(text));
    t.regex(bed.text, text);
  }
});

test("a box outside the cable protects nothing by it, and that is no fault", async (t) => {
  const bed = new BoxBed(t, { cable: false, panel: false });
  bed.box.ready();
  await bed.pass(MINUTE);
  t.like(bed.light, { protection: "none", fault: "none" });
  t.is(bed.text, "not in the cable: a gateway on its own addresses\n");
});

test("a process that starts again in time is no fault; one that stays away is, on record, until it is back", async (t) => {
  const bed = new BoxBed(t);
  bed.box.ready();
  bed.attached = false;
  await bed.pass(15_000);
  t.is(bed.light?.fault, "none");
  await bed.pass(1_000);
  t.is(bed.light?.fault, "some");
  t.regex(bed.text, /\n! the gateway does not run: nobody can connect\n {2}It is started again by itself/);
  bed.attached = true;
  await bed.pass(5_000);
  t.is(bed.light?.fault, "none");
  t.deepEqual(bed.around.records, [
    "box degraded: the gateway does not run: nobody can connect",
    "box degraded: all is well again with the gateway",
  ]);
});

test("what others report is a fault like its own, and what the kernel refused is one", async (t) => {
  const bed = new BoxBed(t);
  bed.box.ready();
  bed.box.fault("update", "the update failed", "Try again.");
  bed.netd.ruleset = { problem: "the kernel refused the ruleset" };
  await bed.pass(500);
  const said = bed.box.view().faults.map(({ why, advice }) => [why, advice]);
  t.deepEqual(said[0], ["the update failed", "Try again."]);
  t.is(said[1]?.[0], "the kernel refused the ruleset");
  bed.box.fault("update", null);
  bed.netd.ruleset = { problem: null };
  await bed.pass(500);
  t.deepEqual(bed.box.view().faults, []);
});

test("an opened cover shows steadily, before whatever else is wrong", async (t) => {
  const bed = new BoxBed(t);
  bed.box.ready();
  bed.box.fault("update", "the update failed");
  bed.turn([{ input: "cover", on: true }]);
  await bed.pass(500);
  t.is(bed.light?.fault, "tampered");
  t.is(bed.box.view().panel?.cover, "open");
  t.deepEqual(bed.around.records, [
    "box tamper: the cover of the box is open",
    "box degraded: the update failed",
  ]);
});

test("a panel that is to be there and is not is a fault; where none is to be, none is shown", async (t) => {
  const bed = new BoxBed(t);
  bed.problem = "no input device of the board is named niac-panel";
  bed.box.ready();
  await bed.pass(500);
  t.regex(bed.text, /! the panel is not heard, .*: no input device of the board is named niac-panel\n/);
  const none = new BoxBed(t, { panel: false });
  none.box.ready();
  t.is(none.box.view().panel, null);
  t.deepEqual(none.box.panelState(), { keySwitch: null });
});

test("the key switch's state is what a gateway is given when it attaches", async (t) => {
  const bed = new BoxBed(t);
  bed.box.ready();
  t.deepEqual(bed.box.panelState(), { keySwitch: null });
  bed.turn([{ input: "keySwitch", on: true }]);
  t.deepEqual(bed.box.panelState(), { keySwitch: false });
  await bed.around.stored();
  t.deepEqual(bed.box.panelState(), { keySwitch: true });
});
