/** What a tier tests, as one hash: where it is the one that last passed (passed.ts), the tier need not run again. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Of the image: the folders and files it is made from, beside niac's own sources, which its bundle names. */
const IMAGE = [
  "image",
  "hw",
  "scripts/image",
  "scripts/image.d",
  "scripts/setup.sh",
  "src/native",
  "package-lock.json",
];
/** Of soak: TLS and isolation, and the Node whose TLS it is. */
const SOAK = [
  "src/gateway",
  "src/isolation",
  "src/native",
  "src/identity",
  "src/x509",
  "src/modbus",
  "src/machine",
  "src/authority",
  "package-lock.json",
];
/** What is written for people changes nothing that runs. */
const FOR_PEOPLE = /\.(md|svg)$/;

/** `bundled`: paths that the bundler read for niac's program, as it names them. */
export function imageInputs(root: string, bundled: readonly string[]): string {
  return hashOf(root, [...IMAGE, ...bundled.filter((path) => path.startsWith("src/"))]);
}

export function soakInputs(root: string): string {
  return hashOf(root, SOAK);
}

/** SHA-256 over names and contents of the files that lie in these places, in the order of their names. */
export function hashOf(root: string, places: readonly string[]): string {
  const files = new Set(places.flatMap((place) => filesIn(root, place)));
  const hash = createHash("sha256");
  for (const file of [...files].filter((path) => !FOR_PEOPLE.test(path)).toSorted()) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function filesIn(root: string, place: string): string[] {
  if (!statSync(join(root, place)).isDirectory()) return [place];
  return readdirSync(join(root, place), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesIn(root, `${place}/${entry.name}`)
      : entry.isFile()
        ? [`${place}/${entry.name}`]
        : [],
  );
}
