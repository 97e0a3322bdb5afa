/**
 * What Debian's copyright files and npm's licence fields say, in SPDX's words where they have one.
 *
 * Debian: machine-readable copyright 1.0 ("DEP-5"). Files that are not in that form name licences only by pointing to their texts.
 */

export interface Copyright {
  /** Short names as the file has them, sorted; `common-licenses/GPL-3` where all it does is point to that text. */
  readonly names: readonly string[];
  /** Names of files in /usr/share/common-licenses whose text belongs to it. */
  readonly common: readonly string[];
}

const MACHINE_READABLE = /^Format(-Specification)?:/m;
const POINTER = /common-licenses\/\s*([A-Za-z0-9.+-]*[A-Za-z0-9])/g;

export function readCopyright(text: string): Copyright {
  const pointed = unique([...text.matchAll(POINTER)].map(([, name = ""]) => name));
  if (!MACHINE_READABLE.test(text))
    return { names: pointed.map((name) => `common-licenses/${name}`), common: pointed };
  const names = unique(
    [...text.matchAll(/^License:[ \t]*(\S.*)$/gim)].flatMap(([, line = ""]) => namesIn(line)),
  );
  // A paragraph may name a licence of that folder and leave the pointer out.
  return { names, common: unique([...pointed, ...names.map((name) => name.replace(/\+$/, ""))]) };
}

/** "GPL-2+ and (Expat or BSD-3-clause)" -> its three names. Which of them one may choose, the text says. */
function namesIn(line: string): string[] {
  return line
    .split(/\s+(?:and\/or|and|or)\s+|[|,]/i)
    .map((part) => part.replace(/^[\s(]+|[\s).;]+$/g, "").replace(/\s+/g, " "))
    .filter((part) => part !== "");
}

export function unique(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

/** SPDX identifiers as they stand in SPDX's list 3.x, by their lower-case form. */
const SPDX = new Map(
  [
    [
      "0BSD",
      "AFL-2.1",
      "Apache-2.0",
      "Artistic-2.0",
      "BlueOak-1.0.0",
      "BSD-2-Clause",
      "BSD-3-Clause",
      "BSD-4-Clause",
    ],
    [
      "BSD-4-Clause-UC",
      "BSL-1.0",
      "bzip2-1.0.6",
      "CC-BY-3.0",
      "CC-BY-4.0",
      "CC-BY-SA-3.0",
      "CC-BY-SA-4.0",
      "CC0-1.0",
    ],
    [
      "curl",
      "FSFAP",
      "FSFUL",
      "FSFULLR",
      "ICU",
      "ISC",
      "Libpng",
      "MIT",
      "MIT-0",
      "MPL-1.1",
      "MPL-2.0",
      "NTP",
      "OFL-1.1",
    ],
    [
      "Beerware",
      "Latex2e",
      "MS-PL",
      "OLDAP-2.8",
      "OpenSSL",
      "PostgreSQL",
      "PSF-2.0",
      "TCL",
      "Unicode-DFS-2016",
      "Unlicense",
      "X11",
      "Zlib",
    ],
  ]
    .flat()
    .map((id) => [id.toLowerCase(), id]),
);
const DEBIAN_NAMES = new Map([
  ["expat", "MIT"],
  ["apache-2", "Apache-2.0"],
  ["bsl-1", "BSL-1.0"],
  ["openldap-2.8", "OLDAP-2.8"],
  ["psf-2", "PSF-2.0"],
  ["cc0", "CC0-1.0"],
]);
const GNU = new Set([
  "GPL-1.0",
  "GPL-2.0",
  "GPL-3.0",
  "LGPL-2.0",
  "LGPL-2.1",
  "LGPL-3.0",
  "AGPL-3.0",
  "GFDL-1.1",
  "GFDL-1.2",
  "GFDL-1.3",
]);

/** SPDX's identifier for a licence's name, Debian's or SPDX's own; undefined where there is none or it is not certain. */
export function spdxOf(name: string): string | undefined {
  const low = name.toLowerCase();
  const plain = SPDX.get(low) ?? DEBIAN_NAMES.get(low);
  if (plain !== undefined) return plain;
  const [, family = "", major = "", minor = "0", later] =
    /^(A?GPL|LGPL|GFDL)-?(\d)(?:\.(\d))?(?:-only|(\+|-or-later))?$/i.exec(name) ?? [];
  const base = `${family.toUpperCase()}-${major}.${minor}`;
  if (!GNU.has(base)) return undefined;
  return later === undefined ? `${base}-only` : `${base}-or-later`;
}

/** Whether passing the software on asks for its source, or for changes to it, to be offered under the same licence. */
export function isCopyleft(name: string): boolean {
  return /(^|[^a-z])(a?gpl|lgpl|gfdl|mpl|epl|cddl|eupl|osl)([^a-z]|$)|cc-by-sa|sleepycat|qpl/i.test(name);
}
