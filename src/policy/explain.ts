import type { Operation } from "../modbus/index.ts";
import type { Forbid, Grant } from "../site/index.ts";
import {
  type Access,
  type Case,
  type OperationStage,
  accessesOf,
  coveringRun,
  failingLimit,
  nearestGrant,
} from "./nearest.ts";
import { type CompiledForbid, type CompiledGrant, type Kind, runsOf } from "./rule.ts";
import type { Lock } from "./lock.ts";
import type { Panel } from "./panel.ts";
import { lackingPosture, type SessionRequest, type SessionState } from "./state.ts";
import type { DecideContext, Denial, Stage } from "./verdict.ts";
import { TABLE_WORDS, functionText, grantText, intervalText, listText, rangeText } from "./words.ts";
import { barredByKey, whenWords } from "./when-words.ts";

/** What a person reads of a denial. */
interface Words {
  readonly reason: string;
  readonly advice: string;
}

export function denial(stage: Stage, rule: string | null, { reason, advice }: Words): Denial {
  return { stage, rule, reason, advice, exception: stage === "rate" ? 6 : 1 };
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
  return denyForbidden(forbid.rule, state.request.panel(), `${state.user} may not ${what} ${of(state)}`);
}

export function denyForbidden(forbid: Forbid, panel: Panel, refusal: string): Denial {
  const { name, reason } = forbid;
  const key = barredByKey(forbid, panel);
  const turning = key === null ? "" : `turning the key switch at the box ${key.turn}, or `;
  return denial("forbid", name, {
    reason: `${refusal}: forbid "${name}" (${reason})${key === null ? "" : ` ${key.because}`}`,
    advice: `A forbid beats every grant: only ${turning}changing forbid "${name}" in the site document allows it.`,
  });
}

/** Called once it is known that no grant covers the operation: names the one that came nearest. */
export function explainGrants(
  state: SessionState,
  operation: Operation,
  now: number,
  context: DecideContext,
): Denial {
  const { service } = state.target;
  const where = `${state.request.machine}/${service.name}`;
  if (service.protocol === "tcp") {
    return denial("service", null, {
      reason: `${where} is relayed as it is and does not speak Modbus`,
      advice: `Ask for a Modbus service of ${state.request.machine}.`,
    });
  }
  if (!state.hasUnit(operation.unit)) {
    return denial("unit", null, {
      reason: `${where} has no unit ${operation.unit}; the site lists ${listText(service.units)}`,
      advice: `Ask for a unit that exists, or add ${operation.unit} to the units of ${where}.`,
    });
  }
  for (const access of accessesOf(operation)) {
    const found: Case = { state, operation, access, now, context };
    const nearest = nearestGrant(found);
    if (nearest === null) continue;
    const { grant, stage } = nearest;
    return denial(stage === "table" ? "address" : stage, grant.rule.name, WORDS[stage](grant, found));
  }
  return denial("function", null, {
    reason: `${functionText(operation.functionCode, operation.subFunction)} to ${where} lacks a part that this function has`,
    advice: "This is an error of niac's own: report it with this record.",
  });
}

const WORDS: Readonly<Record<OperationStage, (grant: CompiledGrant, c: Case) => Words>> = {
  function: ({ rule }, { state, operation }) => {
    const asked = functionText(operation.functionCode, operation.subFunction);
    const listed = (rule.modbus?.functions ?? []).map(({ code, subFunctions }) =>
      subFunctions === null ? `${code}` : `${code} (${listText(subFunctions)})`,
    );
    return {
      reason: `${state.user} may not use ${asked} ${of(state)}; ${grantText(rule)} lists ${listText(listed) || "none"}`,
      advice: `Add ${asked} to the functions of ${grantText(rule)}.`,
    };
  },
  unit: ({ rule }, { state, operation }) => {
    const asked = functionText(operation.functionCode, operation.subFunction);
    const units = listText((rule.modbus?.units ?? []).map(intervalText));
    return {
      reason: `${state.user} may use ${asked} ${of(state)} only on unit ${units}; unit ${operation.unit} was asked`,
      advice: `Add unit ${operation.unit} to ${grantText(rule)}.`,
    };
  },
  table: ({ rule }, { state, access }) => ({
    reason: `${grantText(rule)} lets ${state.user} ${access.kind} no ${TABLE_WORDS[access.table]} ${of(state)}; ${intervalText(access)} was asked`,
    advice: addressAdvice(rule, access),
  }),
  address: (grant, { state, access }) => {
    const listed = runsOf(grant, access.kind, access.table).map(intervalText);
    return {
      reason: `${state.user} may ${access.kind} ${TABLE_WORDS[access.table]}s ${of(state)} only at ${listText(listed)}; ${intervalText(access)} was asked`,
      advice: addressAdvice(grant.rule, access),
    };
  },
  value: (grant, c) => limitWords(grant, c),
  change: (grant, c) => limitWords(grant, c),
  when: (grant, { state, operation, access, now }) =>
    whenWords(grant, state, now, `${state.user} may ${deed(operation, access)} ${of(state)}`),
  posture: (grant, { state, operation, access, now }) =>
    postureWords(grant, state.request, now, `${state.user} may ${deed(operation, access)} ${of(state)}`),
  connections: ({ rule }, { state, operation, access }) => ({
    reason: `${state.user} may ${deed(operation, access)} ${of(state)} under ${grantText(rule)}, but this session was opened without it: it gives ${rule.rate?.connections} at once`,
    advice: `End another session of ${state.user} and connect again, or raise "connections" of ${grantText(rule)}.`,
  }),
  rate: ({ rule }, { state }) => ({
    reason: `${state.user} may do ${rule.rate?.operationsPerSecond} operations a second ${of(state)} under ${grantText(rule)}, and asked for more`,
    advice: `Ask more slowly, or raise "operationsPerSecond" of ${grantText(rule)}.`,
  }),
};

/** `allowed`: what he may do where the laptop is as it should be. */
export function postureWords(
  grant: CompiledGrant,
  request: SessionRequest,
  now: number,
  allowed: string,
): Words {
  const name = lackingPosture(grant, request, now) ?? "";
  return {
    reason: `${allowed} only from a laptop that meets "${name}": ${request.posture(name).lack}`,
    advice: `Put that right and send a new report (niac posture), or change posture "${name}" or ${grantText(grant.rule)}.`,
  };
}

export function denyLocked(lock: Lock, { identity, machine }: SessionRequest): Denial {
  return denial("lock", null, {
    reason: `${identity.user} may not use ${machine}: ${lock.kind} ${lock.value} is locked (lock ${lock.id}): ${lock.reason}`,
    advice: `Ask the plant admin; \`niac unlock ${lock.id}\` at the appliance ends the lock.`,
  });
}

function limitWords(grant: CompiledGrant, c: Case): Words {
  const { access, state } = c;
  const run = coveringRun(grant, access);
  const limit = run === undefined ? null : failingLimit(run, c);
  if (limit === null) return WORDS.address(grant, c);
  const { part, address, value, held } = limit;
  const where = rangeText(access.table, part);
  const which = part.start === part.end ? "" : ` for ${address}`;
  if (limit.stage === "change") {
    return {
      reason: `${state.user} may change ${where} ${of(state)} only by up to ${part.maxChange} at a time; ${held} to ${value} was asked${which}`,
      advice: `Take smaller steps, or raise "maxChange" of ${grantText(grant.rule)}.`,
    };
  }
  const asked = value === null ? "no result of this mask write lies there" : `${value} was asked${which}`;
  return {
    reason: `${state.user} may write ${where} ${of(state)} only with values ${part.min}..${part.max}; ${asked}`,
    advice: `Write a value in ${part.min}..${part.max}, or change the limits of ${grantText(grant.rule)}.`,
  };
}

function addressAdvice(rule: Grant, access: Access): string {
  return `Add ${rangeText(access.table, access)} to the ${access.kind}s of ${grantText(rule)}.`;
}

function deed(operation: Operation, access: Access): string {
  if (access.kind === "call") return `use ${functionText(operation.functionCode, operation.subFunction)}`;
  return `${access.kind} ${rangeText(access.table, access)}`;
}

function of(state: SessionState): string {
  return `of ${state.request.machine}`;
}
