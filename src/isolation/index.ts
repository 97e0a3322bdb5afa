/**
 * The box in the cable: netd, which has the kernel's network in its hands, puts the site document's ruleset in force and hears what is
 * refused. What is decided is pure (plan, ruleset, layout, packet/, refusals); the effects are in kernel, tools and the addon.
 */
export { openEntrances, type Entrances } from "./entrances.ts";
export { runNetd, type NetdOptions } from "./netd.ts";
export { planOf, type Plan, type Ports } from "./plan.ts";
export { rulesetOf } from "./ruleset.ts";
