/** The bill of materials: CycloneDX 1.6, JSON. The same parts give the same bytes. */
import { licences, purlText, sha512, spdxLicence, type Component, type Dependency } from "./component.ts";
import { readCopyright } from "./copyright.ts";
import { debianNeeds } from "./depends.ts";
import { nodeParts } from "./node-inside.ts";
import type { DebPart, NpmPart, Parts } from "./parts.ts";
import { contentUuid } from "./uuid.ts";

export interface SbomOptions {
  readonly board: string;
  readonly version: string;
  /** Seconds since 1970: SOURCE_DATE_EPOCH. */
  readonly sourceDate: number;
}

const IMAGE = "image";
const APPLICATION = "niac";

export function makeSbom(parts: Parts, { board, version, sourceDate }: SbomOptions): string {
  const { sqlite, drivers, debs, npm } = parts;
  const node = nodeParts(parts.node);
  const components: Component[] = [
    {
      type: "operating-system",
      "bom-ref": "debian",
      supplier: { name: "Debian" },
      name: "debian",
      version: parts.debian,
    },
    {
      type: "application",
      "bom-ref": APPLICATION,
      name: "niac",
      version,
      licenses: [spdxLicence("Apache-2.0")],
    },
    ...drivers.map(({ name }): Component => ({
      type: "device-driver",
      "bom-ref": name,
      name,
      version,
      licenses: [spdxLicence("GPL-2.0-only")],
    })),
    ...debs.map(debComponent),
    ...npm.map(npmComponent),
    ...node.components,
    {
      type: "library",
      "bom-ref": "better-sqlite3/sqlite",
      name: "sqlite",
      version: sqlite,
      cpe: `cpe:2.3:a:sqlite:sqlite:${sqlite}:*:*:*:*:*:*:*`,
      purl: `pkg:generic/sqlite@${sqlite}`,
    },
  ];
  const content = {
    metadata: {
      timestamp: new Date(sourceDate * 1000).toISOString().replace(".000Z", "Z"),
      lifecycles: [{ phase: "build" }],
      component: { type: "firmware", "bom-ref": IMAGE, name: `niac-${board}`, version },
    },
    components: components.toSorted(byRef),
    dependencies: dependencies(parts, node.dependencies, components),
  };
  return `${JSON.stringify(
    {
      $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      serialNumber: `urn:uuid:${contentUuid(JSON.stringify(content))}`,
      version: 1,
      ...content,
    },
    undefined,
    1,
  )}\n`;
}

function byRef(a: Component, b: Component): number {
  return a["bom-ref"] < b["bom-ref"] ? -1 : 1;
}

function debComponent({ deb, copyright }: DebPart): Component {
  return {
    type: "library",
    "bom-ref": debRef(deb.package),
    supplier: { name: "Debian" },
    name: deb.package,
    version: deb.version,
    hashes: [{ alg: "SHA-256", content: deb.sha256 }],
    licenses: licences(readCopyright(copyright).names),
    // Scanners look vulnerabilities of Debian's packages up by their source.
    purl:
      `pkg:deb/debian/${purlText(deb.package)}@${purlText(deb.version)}?arch=${deb.architecture}&distro=debian-13` +
      (deb.source === deb.package && deb.sourceVersion === deb.version
        ? ""
        : `&upstream=${purlText(`${deb.source}@${deb.sourceVersion}`)}`),
    properties: [
      { name: "niac:debian:source", value: deb.source },
      { name: "niac:debian:source-version", value: deb.sourceVersion },
    ],
  };
}

function npmComponent({ path, name, version, integrity, licence }: NpmPart): Component {
  return {
    type: "library",
    "bom-ref": npmRef(path),
    name,
    version,
    hashes: [sha512(integrity)],
    licenses: /\s/.test(licence) ? [{ expression: licence }] : licences([licence]),
    purl: `pkg:npm/${name.replace("@", "%40")}@${purlText(version)}`,
  };
}

function debRef(name: string): string {
  return `deb/${name}`;
}

function npmRef(path: string): string {
  return `npm/${path}`;
}

/** What the image has on top: niac, Node, its drivers, and the Debian packages that were asked for or that nothing else needs. */
function dependencies(
  parts: Parts,
  node: readonly Dependency[],
  components: readonly Component[],
): Dependency[] {
  const needs = debianNeeds(parts.debs.map(({ deb }) => deb));
  const needed = new Set([...needs.values()].flat());
  const top = parts.debs
    .map(({ deb }) => deb.package)
    .filter((name) => parts.asked.includes(name) || !needed.has(name));
  const known: Dependency[] = [
    {
      ref: IMAGE,
      dependsOn: ["debian", APPLICATION, ...parts.drivers.map(({ name }) => name), ...top.map(debRef)],
    },
    { ref: APPLICATION, dependsOn: ["node", ...parts.direct.map(npmRef)] },
    ...[...needs].map(([name, others]) => ({ ref: debRef(name), dependsOn: others.map(debRef) })),
    ...parts.npm.map(({ path, name, needs: others }) => ({
      ref: npmRef(path),
      dependsOn: [...others.map(npmRef), ...(name === "better-sqlite3" ? ["better-sqlite3/sqlite"] : [])],
    })),
    ...node,
  ];
  const listed = new Set(known.map(({ ref }) => ref));
  const leaves = components.flatMap((one) =>
    listed.has(one["bom-ref"]) ? [] : [{ ref: one["bom-ref"], dependsOn: [] }],
  );
  return [...known, ...leaves]
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.toSorted() }))
    .toSorted((a, b) => (a.ref < b.ref ? -1 : 1));
}
