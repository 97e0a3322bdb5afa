import type { AuthorityParts } from "./issue.ts";
import type { Authority } from "./store.ts";

/**
 * Which authority signs the appliance's own certificates: the newest one under the oldest root that laptops with a certificate in force
 * may know alone. Null: none does.
 */
export function infrastructureInUse({
  store,
  clock,
}: Pick<AuthorityParts, "store" | "clock">): Authority | null {
  const now = clock.now();
  const issuing = store.standing("issuing");
  const known = store
    .standing("root")
    .find(
      (root) =>
        root.state === "current" ||
        issuing.some(({ id, parent }) => parent === root.id && store.countLive(id, now) > 0),
    );
  const all = store.standing("infrastructure");
  return all.findLast(({ parent }) => parent === known?.id) ?? all.at(-1) ?? null;
}
