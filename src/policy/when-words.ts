/** What a denial says of days, hours and the key switch. */
import type { Forbid } from "../site/index.ts";
import { keyHolds, type Panel } from "./panel.ts";
import type { CompiledGrant } from "./rule.ts";
import type { SessionState } from "./state.ts";
import { grantText, timesText } from "./words.ts";

/** Of a grant that holds at another time or with the key turned. `allowed`: what he may do then. */
export function whenWords(
  { rule, when: time }: CompiledGrant,
  { policy, request }: Pick<SessionState, "policy" | "request">,
  now: number,
  allowed: string,
): { readonly reason: string; readonly advice: string } {
  const { identity, machine } = request;
  const panel = request.panel();
  const timely = time === null || time.holds(now);
  const keyed = keyHolds(rule.when, "grant", panel);
  const times = rule.when === null ? "" : timesText(rule.when, policy.snapshot.site.timeZone);
  const position = rule.when?.keySwitch ?? null;
  const key = `the key switch at ${machine}'s box`;
  const only = [
    ...(times === "" ? [] : [times]),
    ...(position === null ? [] : [`while ${key} is ${position}`]),
  ];
  const found = [
    ...(timely ? [] : [`it is ${new Date(now).toISOString()}`]),
    ...(keyed ? [] : [stands(panel)]),
  ];
  const steps = [
    ...(timely ? [] : ["come back in that time"]),
    ...(keyed ? [] : [`have ${key} ${panel.keySwitch === null ? "looked at" : `turned ${position}`}`]),
  ];
  const step = steps.join(" and ");
  return {
    reason: `${allowed} only ${only.join(" and ")}; ${found.join(" and ")}`,
    advice:
      identity.kind === "source"
        ? `Give ${identity.user} a certificate, or move "until" of ${grantText(rule)}.`
        : `${step.charAt(0).toUpperCase()}${step.slice(1)}, or widen "when" of ${grantText(rule)}.`,
  };
}

/** Of a forbid that holds: why the key switch lets it, and how it would not. Null: it does not ask for the key switch. */
export function barredByKey(
  { when }: Forbid,
  panel: Panel,
): { readonly because: string; readonly turn: string } | null {
  const position = when?.keySwitch ?? null;
  if (position === null) return null;
  const because = `holds unless the key switch at the box is ${position === "on" ? "off" : "on"}, and ${stands(panel)}`;
  return { because, turn: position === "on" ? "off" : "on" };
}

function stands({ keySwitch }: Panel): string {
  if (keySwitch === null) return "it is not known where the switch stands";
  return `the switch is ${keySwitch ? "on" : "off"}`;
}
