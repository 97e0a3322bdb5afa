/** niac's policy beside Cedar's (test/unit/policy/cedar.ts), on sites, sessions and operations that are drawn by seeds. */
import test, { type ExecutionContext } from "ava";
import {
  compilePolicy,
  decide,
  isDenial,
  isPermit,
  needsCurrent,
  openSession,
} from "../../../src/policy/index.ts";
import type { Snapshot } from "../../../src/site/snapshot.ts";
import { Cedar, possible } from "./cedar.ts";
import { requestOf } from "./documents.ts";
import { type DrawnOperation, Dice, type DrawnSession, drawSnapshot, drawSession } from "./generator.ts";

/** Snapshots of one test: ten tests of them, so that a slow machine still shows progress. */
const SNAPSHOTS = 100;
const SESSIONS = 3;
const ASKS = 20;

/** `parts`: of a hundred snapshots each, which are drawn from as many seeds. */
export function compareParts(parts: readonly number[]): void {
  for (const part of parts) {
    const first = part * SNAPSHOTS + 1;
    test(`Cedar and niac never disagree, seeds ${first}..${first + SNAPSHOTS - 1}`, compare, first);
  }
}

function compare(t: ExecutionContext, first: number): void {
  const tally = {
    sessions: 0,
    refusals: 0,
    permits: 0,
    denials: 0,
    forbids: 0,
    questions: 0,
    steps: 0,
    uncertified: 0,
    turns: 0,
  };
  for (let seed = first; seed < first + SNAPSHOTS; seed++) {
    const dice = new Dice(seed);
    const snapshot = drawSnapshot(dice);
    const policy = compilePolicy(snapshot);
    const cedar = new Cedar(snapshot);
    for (let v = 0; v < SESSIONS; v++) {
      const drawn = drawSession(dice, ASKS);
      const { identity, machine, service, source } = drawn;
      let { panel } = drawn;
      const request = requestOf({}, { identity, machine, service, source: source.text, panel: () => panel });
      const session = openSession(policy, request, drawn.now);
      const opens = cedar.opens(drawn, drawn);
      same(
        seed,
        snapshot,
        drawn,
        null,
        [isPermit(session), isDenial(session) && session.stage === "forbid"],
        [opens.allowed, opens.forbidden],
      );
      if (!isPermit(session)) {
        tally.refusals++;
        continue;
      }
      tally.sessions++;
      for (const ask of drawn.asks) {
        const { operation, now, current } = ask;
        if (ask.panel.keySwitch !== panel.keySwitch) tally.turns++;
        panel = ask.panel;
        const verdict = decide(session, operation, now, { current });
        const expected = cedar.permits(drawn, operation, ask, current);
        const forbidden = isDenial(verdict) && verdict.stage === "forbid";
        same(
          seed,
          snapshot,
          drawn,
          ask,
          [isPermit(verdict), forbidden],
          [expected.allowed, expected.forbidden],
        );
        if (isPermit(verdict)) tally.permits++;
        else tally.denials++;
        if (isPermit(verdict) && identity.kind !== "certificate") tally.uncertified++;
        if (forbidden) tally.forbids++;
        if (isDenial(verdict) && verdict.stage === "change") tally.steps++;

        // Without knowing what the machine holds: certain either way, or asked only where some value would be permitted.
        const blind = decide(session, operation, now);
        if (!needsCurrent(blind)) {
          same(seed, snapshot, drawn, ask, isPermit(blind), expected.allowed);
          continue;
        }
        tally.questions++;
        const { writes } = operation;
        const chances =
          writes === null
            ? []
            : "values" in writes
              ? [writes.values]
              : possible(writes.and, writes.or).map((value) => [value]);
        const chance = chances.some((held) => cedar.permits(drawn, operation, ask, held).allowed);
        same(
          seed,
          snapshot,
          drawn,
          ask,
          "asks for what would help",
          chance ? "asks for what would help" : "asks in vain",
        );
      }
    }
  }
  t.log(tally);
  const decisions = tally.permits + tally.denials;
  t.true(decisions > 1000, "too few sessions open");
  t.true(tally.permits > decisions / 10, "too few permits");
  t.true(tally.denials - tally.forbids > decisions / 10, "too few denials for want of a grant");
  t.true(tally.forbids > decisions / 10, "too few forbids");
  t.true(tally.turns > decisions / 3, "the key switch is turned too seldom");
  t.true(tally.uncertified > 20, "too few permits of sources and machines");
  t.true(tally.questions > 10 && tally.steps > 5, "too few limits on steps and masks");
  t.true(tally.refusals > (SESSIONS * SNAPSHOTS) / 10, "too few sessions refused");
}

/** Prints what reproduces a disagreement. */
function same(
  seed: number,
  snapshot: Snapshot,
  drawn: DrawnSession,
  ask: DrawnOperation | null,
  niac: unknown,
  cedar: unknown,
): void {
  if (JSON.stringify(niac) === JSON.stringify(cedar)) return;
  const { grants, forbids, people, certificateGroups } = snapshot;
  const site = {
    zone: snapshot.site.timeZone,
    machines: snapshot.machines,
    people,
    certificateGroups,
    grants,
    forbids,
  };
  throw new Error(
    `seed ${seed}: niac says ${JSON.stringify(niac)}, Cedar ${JSON.stringify(cedar)}\n` +
      `${JSON.stringify({ ...drawn, asks: undefined, ask })}\n${JSON.stringify(site, null, 1)}`,
  );
}
