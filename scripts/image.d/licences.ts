/** Whose software the image is, and under which licences: every package, then every text once. */
import { isCopyleft, readCopyright, spdxOf, unique } from "./copyright.ts";
import type { Parts } from "./parts.ts";

interface Entry {
  readonly name: string;
  readonly version: string;
  readonly licences: readonly string[];
  readonly texts: readonly string[];
  /** Where its source is to be had, where its licence asks for that. */
  readonly source?: string;
}

const RULE = "=".repeat(80);

export function makeLicences(
  parts: Parts,
  { board, version }: { readonly board: string; readonly version: string },
): string {
  const texts = new Texts();
  const own = entry(texts, { name: "niac", version, licences: ["Apache-2.0"], texts: [parts.ownLicence] });
  const drivers = parts.drivers.map(({ name, source }) =>
    entry(texts, {
      name,
      version,
      licences: ["GPL-2.0-only"],
      texts: [source, ...commonTexts(parts, ["GPL-2"])],
      source: "its whole source is the first text named here",
    }),
  );
  const debian = parts.debs.map(({ deb, copyright }) => {
    const { names, common } = readCopyright(copyright);
    return entry(texts, {
      name: deb.package,
      version: deb.version,
      licences: unique(names.map((name) => spdxOf(name) ?? name)),
      texts: [copyright, ...commonTexts(parts, common)],
      source: `${deb.source}=${deb.sourceVersion}`,
    });
  });
  const node = entry(texts, {
    name: "node",
    version: parts.node.version,
    licences: ["MIT, and those of the parts that its text names"],
    texts: [parts.node.licenceText],
  });
  const npm = parts.npm.map((part) =>
    entry(texts, { name: part.name, version: part.version, licences: [part.licence], texts: part.texts }),
  );
  return [
    `Licences of the software in niac ${version} for ${board}`,
    RULE,
    "The image holds programs of many authors, each under its own licence. Each is listed with the names of its licences and the numbers of the",
    "texts that belong to it, which follow below. Where a text and a name differ, the text is right.",
    "",
    "Source code. Lines marked with * have, or may have, a licence that asks for the source to be offered (GPL, LGPL, MPL and the like). Debian's programs are",
    "unchanged: their source is Debian's source package of the name and version given after the arrow. Debian keeps every version it has published,",
    "in its archive and in its snapshot archive; on a computer with Debian, `apt-get source NAME=VERSION` brings it. Whoever gives the image",
    "on to others gives them this file too, and the source where they cannot get it there.",
    "",
    section("niac", [own, ...drivers]),
    section(`Debian ${parts.debian}`, debian),
    section("Node.js, and what is compiled into it", [node]),
    section("npm packages, in niac's bundle or beside it", npm),
    RULE,
    "Texts",
    RULE,
    texts.print(),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return [title, "-".repeat(title.length), ...lines, ""].join("\n");
}

function entry(texts: Texts, { name, version, licences, texts: own, source }: Entry): string {
  const numbers = [...new Set(own.map((text) => texts.number(text)))].map((number) => `[${number}]`);
  // Where nobody has read the text for us, it may ask for it.
  const copyleft = licences.length === 0 || licences.some(isCopyleft);
  return [
    `${copyleft ? "*" : " "} ${name} ${version}`,
    licences.length === 0 ? "see the text" : licences.join("; "),
    numbers.length === 0 ? "no text comes with it" : numbers.join(" "),
    ...(source === undefined ? [] : [`-> ${source}`]),
  ].join(" | ");
}

function commonTexts(parts: Parts, names: readonly string[]): string[] {
  return names.flatMap((name) => parts.common.get(name) ?? []);
}

/** Each text once, with its number. */
class Texts {
  readonly #numbers = new Map<string, number>();

  number(text: string): number {
    const clean = text.replaceAll("\r\n", "\n").trimEnd();
    const known = this.#numbers.get(clean);
    if (known !== undefined) return known;
    this.#numbers.set(clean, this.#numbers.size + 1);
    return this.#numbers.size;
  }

  print(): string {
    return [...this.#numbers].map(([text, number]) => `[${number}]\n\n${text}\n\n${RULE}\n`).join("");
  }
}
