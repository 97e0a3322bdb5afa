import {
  type CompiledForbid,
  type CompiledGrant,
  type Kind,
  type Run,
  holds,
  matchesFunction,
  matchesUnit,
  runsOf,
} from "./rule.ts";
import type { DecideContext, Denial, Stage } from "./verdict.ts";
import { TABLE_WORDS, functionText, intervalText, listText, rangeText, whenText } from "./words.ts";
import { type Writes, fits, masked } from "./values.ts";
import type { AddressRange, Operation } from "../modbus/index.ts";
import type { SessionState } from "./state.ts";
import type { Forbid } from "../site/snapshot.ts";
import type { Table } from "../base/index.ts";

/** Half of an operation: what it reads, what it writes, or that it is done at all. */
interface Access {
  readonly kind: Kind;
  readonly table: Table;
  readonly start: number;
  readonly end: number;
  readonly writes: Writes | null;
}

/** In the order in which an operation passes them; a grant came nearer the later it fails. */
const STAGES = ["function", "unit", "address", "value", "change", "when", "connections", "rate"] as const;

interface Failure {
  readonly stage: (typeof STAGES)[number];
  readonly reason: string;
  readonly advice: string;
}

/** Everything a failing grant is described with. */
interface Case {
  readonly state: SessionState;
  readonly operation: Operation;
  readonly access: Access;
  readonly now: number;
  readonly context: DecideContext;
  readonly clock: number;
}

function accessesOf({ reads, writes }: Operation): readonly Access[] {
  const accesses: Access[] = [];
  if (writes !== null) accesses.push({ kind: "write", ...spanOf(writes), writes });
  if (reads !== null) accesses.push({ kind: "read", ...spanOf(reads), writes: null });
  if (accesses.length > 0) return accesses;
  return [{ kind: "call", table: "holdingRegisters", start: 0, end: 0, writes: null }];
}

function spanOf({ table, address, quantity }: AddressRange) {
  return { table, start: address, end: address + quantity - 1 };
}

/** Called once it is known that `forbid` forbids what the operation does of `kind`. */
export function explainForbid(
  state: SessionState,
  operation: Operation,
  kind: Kind,
  forbid: CompiledForbid,
): Denial {
  const deeds = accessesOf(operation).filter((access) => access.kind === kind);
  const what = deeds.map((access) => deed(operation, access)).join(", ");
  return denyForbidden(forbid.rule, `${state.user} may not ${what} ${of(state)}`);
}

export function denyForbidden({ name, reason }: Forbid, refusal: string): Denial {
  return denial("forbid", name, {
    reason: `${refusal}: forbid "${name}" (${reason})`,
    advice: `A forbid beats every grant: only changing forbid "${name}" in the site document allows it.`,
  });
}

/** Called once it is known that no grant covers the operation: names the one that came nearest. */
export function explainGrants(
  state: SessionState,
  operation: Operation,
  now: number,
  context: DecideContext,
  clock: number,
): Denial {
  const { service } = state.target;
  const { machine } = state.request;
  if (service.protocol === "tcp") {
    return denial("service", null, {
      reason: `${machine}/${service.name} is relayed as it is and does not speak Modbus`,
      advice: `Ask for a Modbus service of ${machine}.`,
    });
  }
  if (!state.hasUnit(operation.unit)) {
    return denial("unit", null, {
      reason: `${machine}/${service.name} has no unit ${operation.unit}; the site lists ${listText(service.units)}`,
      advice: `Ask for a unit that exists, or add ${operation.unit} to the units of ${machine}/${service.name}.`,
    });
  }
  for (const access of accessesOf(operation)) {
    const circumstances = { state, operation, access, now, context, clock };
    let nearest: { grant: CompiledGrant; failure: Failure } | null = null;
    let covered = false;
    for (const grant of state.matched) {
      const failure = failureOf(grant, circumstances);
      if (failure === null) {
        covered = true;
        break;
      }
      if (nearest === null || STAGES.indexOf(failure.stage) > STAGES.indexOf(nearest.failure.stage)) {
        nearest = { grant, failure };
      }
    }
    if (!covered && nearest !== null) {
      return denial(nearest.failure.stage, nearest.grant.rule.name, nearest.failure);
    }
  }
  return denial("function", null, {
    reason: `${functionText(operation.functionCode, operation.subFunction)} to ${machine} does not have the parts this function must have`,
    advice: "This is an error of niac's own: report it with this record.",
  });
}

export function denial(
  stage: Stage,
  rule: string | null,
  { reason, advice }: { readonly reason: string; readonly advice: string },
): Denial {
  return { stage, rule, reason, advice, exception: stage === "rate" ? 6 : 1 };
}

/** Null: the grant covers the access. */
function failureOf(grant: CompiledGrant, c: Case): Failure | null {
  const { state, operation, access, now } = c;
  const { name, modbus, when, rate } = grant.rule;
  const { user } = state;
  const asked = functionText(operation.functionCode, operation.subFunction);
  if (!matchesFunction(grant, operation.functionCode, operation.subFunction)) {
    const listed = (modbus?.functions ?? []).map(({ code, subFunctions }) =>
      subFunctions === null ? `${code}` : `${code} (${listText(subFunctions)})`,
    );
    return {
      stage: "function",
      reason: `${user} may not use ${asked} ${of(state)}; grant "${name}" lists ${listText(listed) || "none"}`,
      advice: `Add ${asked} to the functions of grant "${name}".`,
    };
  }
  if (!matchesUnit(grant, operation.unit, false)) {
    const units = listText((modbus?.units ?? []).map(intervalText));
    return {
      stage: "unit",
      reason: `${user} may use ${asked} only on unit ${units} ${of(state)}, not on unit ${operation.unit}`,
      advice: `Add unit ${operation.unit} to grant "${name}".`,
    };
  }
  const runs = runsOf(grant, access.kind, access.table);
  const run = runs.find(({ start, end }) => start <= access.start && access.end <= end);
  if (run === undefined) return addressFailure(runs, name, c);
  const limit = valueFailure(run, name, c);
  if (limit !== null) return limit;
  if (!holds(grant, now) && when !== null) {
    const times = whenText(when, state.policy.snapshot.site.timeZone);
    return {
      stage: "when",
      reason: `${user} may ${deed(operation, access)} ${of(state)} only ${times}; it is ${new Date(now).toISOString()}`,
      advice: `Come back in that time, or widen "when" of grant "${name}".`,
    };
  }
  if (!state.usable.has(grant)) {
    return {
      stage: "connections",
      reason: `${user} may ${deed(operation, access)} ${of(state)} under grant "${name}", but this session was opened without it: ${user} has no session left of the ${rate?.connections} it gives`,
      advice: `End another session of ${user} and connect again, or raise "connections" of grant "${name}".`,
    };
  }
  const pace = rate?.operationsPerSecond ?? null;
  if (pace !== null && c.context.rates?.has(grant.rule, user, c.clock) !== true) {
    return {
      stage: "rate",
      reason: `${user} may do ${pace} operations a second ${of(state)} under grant "${name}", and has done so`,
      advice: `Ask more slowly, or raise "operationsPerSecond" of grant "${name}".`,
    };
  }
  return null;
}

function addressFailure(runs: readonly Run[], name: string, { access, state }: Case): Failure {
  const verb = access.kind === "write" ? "write" : "read";
  const listed = listText(runs.map(intervalText));
  const may =
    runs.length === 0
      ? `grant "${name}" lets ${state.user} ${verb} no ${TABLE_WORDS[access.table]} ${of(state)}`
      : `${state.user} may ${verb} ${TABLE_WORDS[access.table]}s ${of(state)} only at ${listed}`;
  return {
    stage: "address",
    reason: `${may}; ${intervalText(access)} was asked`,
    advice: `Add ${rangeText(access.table, access)} to the ${verb}s of grant "${name}".`,
  };
}

/** Names the first address whose value or step is refused. */
function valueFailure(run: Run, name: string, c: Case): Failure | null {
  const { access, state, context } = c;
  const { writes } = access;
  if (writes === null || run.parts === null || fits(run.parts, writes, context.current) !== "not")
    return null;
  for (let address = access.start; address <= access.end; address++) {
    const i = address - access.start;
    const part = run.parts.find(({ start, end }) => start <= address && address <= end);
    if (part === undefined) continue;
    const held = context.current?.[i];
    const value =
      "and" in writes
        ? held === undefined
          ? undefined
          : masked(held, writes.and, writes.or)
        : writes.values[i];
    if (value === undefined || value < part.min || value > part.max) {
      const what = value === undefined ? "no result of this mask write lies there" : `${value} was asked`;
      const where = address === part.start && access.end <= part.end ? "" : ` for address ${address}`;
      return {
        stage: "value",
        reason: `${state.user} may write ${rangeText(access.table, part)} ${of(state)} only with values ${part.min}..${part.max}; ${what}${where}`,
        advice: `Write a value in ${part.min}..${part.max}, or change the limits of grant "${name}".`,
      };
    }
    if (part.maxChange !== null && held !== undefined && Math.abs(value - held) > part.maxChange) {
      return {
        stage: "change",
        reason: `${state.user} may change ${rangeText(access.table, part)} ${of(state)} by at most ${part.maxChange} at a time; from ${held} to ${value} was asked for address ${address}`,
        advice: `Take smaller steps, or change "maxChange" of grant "${name}".`,
      };
    }
  }
  return null;
}

function deed(operation: Operation, access: Access): string {
  if (access.kind === "call") return `use ${functionText(operation.functionCode, operation.subFunction)}`;
  return `${access.kind} ${rangeText(access.table, access)}`;
}

function of(state: SessionState): string {
  return `of ${state.request.machine}`;
}
