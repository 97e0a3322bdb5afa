import type { RotationScope } from "../link/index.ts";
import type { Authority } from "./store.ts";

/** Whether a rotation or retirement means this authority. A scope that narrows nothing means all but the roots. */
export function inScope({ role, tier, tenant }: Authority, scope: RotationScope): boolean {
  if (role === "root") return scope.root;
  const narrowed = scope.infrastructure || scope.tier !== null || scope.tenant !== null;
  if (!narrowed) return !scope.root;
  if (role === "infrastructure") return scope.infrastructure;
  if (scope.tier === null && scope.tenant === null) return false;
  return (scope.tier === null || scope.tier === tier) && (scope.tenant === null || scope.tenant === tenant);
}
