/** Who needs whom among Debian packages, as far as they are in the image. */
import type { Deb } from "./debs.ts";

/** Name -> names, sorted. Of alternatives it is the first that is there; what an absent package would have provided is left out. */
export function debianNeeds(debs: readonly Deb[]): ReadonlyMap<string, readonly string[]> {
  const providers = new Map<string, string>();
  for (const { package: name, provides } of debs) {
    for (const virtual of namesOf(provides)) if (!providers.has(virtual)) providers.set(virtual, name);
  }
  const real = new Set(debs.map((deb) => deb.package));
  const resolve = (name: string): string | undefined => (real.has(name) ? name : providers.get(name));
  return new Map(
    debs.map((deb) => {
      const found = deb.depends.split(",").flatMap((clause) => {
        const [first] = namesOf(clause.replaceAll("|", ",")).flatMap((name) => resolve(name) ?? []);
        return first === undefined || first === deb.package ? [] : [first];
      });
      return [deb.package, [...new Set(found)].toSorted()];
    }),
  );
}

/** "libc6 (>= 2.38), python3:any" -> libc6, python3. */
function namesOf(list: string): string[] {
  return list
    .split(",")
    .map((item) => item.trim().replace(/[\s:(].*$/, ""))
    .filter((name) => name !== "");
}
