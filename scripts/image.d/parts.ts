/** What the image is made of, read from where it was made: Debian's packages, what the bundle took from npm, Node, niac's own. */
import { isUtf8 } from "node:buffer";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import type { Metafile } from "esbuild";
import { z } from "zod";
import { readCopyright } from "./copyright.ts";
import type { Deb } from "./debs.ts";
import { lockedAt, NODE_LOCK, readNpmLock, type NpmLock } from "./npm-lock.ts";

export interface DebPart {
  readonly deb: Deb;
  /** Text of its copyright file. */
  readonly copyright: string;
}

export interface NpmPart {
  /** As in the lock file: `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** `sha512-` and base64, as in the lock file. */
  readonly integrity: string;
  /** As package.json says it: a name or an expression of SPDX's. */
  readonly licence: string;
  readonly texts: readonly string[];
  /** Paths of the packages it needs, those alone that are in the image. */
  readonly needs: readonly string[];
}

export interface NodePart {
  readonly version: string;
  readonly integrity: string;
  readonly licenceText: string;
  /** Node's own name for what is compiled into it, and its version. */
  readonly inside: Readonly<Record<string, string>>;
}

export interface Driver {
  readonly name: string;
  readonly source: string;
}

export interface Parts {
  /** E.g. `13.2`. */
  readonly debian: string;
  readonly debs: readonly DebPart[];
  /** Debian packages asked for by name; the others came along. */
  readonly asked: readonly string[];
  /** Texts of /usr/share/common-licenses by name, those that a copyright file belongs to. */
  readonly common: ReadonlyMap<string, string>;
  readonly npm: readonly NpmPart[];
  /** Paths of the npm packages that niac itself imports. */
  readonly direct: readonly string[];
  readonly node: NodePart;
  /** Version of the SQLite inside better-sqlite3. */
  readonly sqlite: string;
  readonly ownLicence: string;
  /** niac's own kernel modules: under the kernel's licence, so their source comes along. */
  readonly drivers: readonly Driver[];
}

export interface PartsOptions {
  /** The project's folder. */
  readonly root: string;
  /** Debian's packages, extracted, before anything was pruned. */
  readonly tree: string;
  readonly debs: readonly Deb[];
  readonly asked: readonly string[];
  readonly metafile: Pick<Metafile, "outputs">;
  /** The folder with the bundle and `node_modules` of what is not bundled. */
  readonly app: string;
  /** The package that brings Node for the board's processor, unpacked. */
  readonly nodePackage: string;
  /** Source files of kernel modules, below the project's folder. */
  readonly drivers: readonly string[];
}

/** The lock file's own entry. */
const TOP = "";

const packageSchema = z.object({ name: z.string(), version: z.string(), license: z.string() });

/** Throws where a package has no copyright file, the lock file does not know a package, or Node's is not the Node that runs this. */
export function readParts(options: PartsOptions): Parts {
  const { root, tree, drivers } = options;
  const lock = readNpmLock(root);
  const debs = options.debs.map((deb) => ({
    deb,
    copyright: readInside(tree, `usr/share/doc/${deb.package}/copyright`),
  }));
  const paths = new Set([...bundledPaths(options.metafile), ...besidePaths(options.app)]);
  return {
    debian: readInside(tree, "etc/debian_version").trim(),
    debs,
    asked: options.asked,
    common: commonTexts(tree, debs),
    npm: [...paths].toSorted().map((path) => npmPart(root, lock, path, paths)),
    direct: neededPaths(lock, TOP, paths),
    node: nodePart(lock, options.nodePackage),
    sqlite: sqliteVersion(root),
    ownLicence: readFileSync(join(root, "LICENSE"), "utf8"),
    drivers: drivers.map((path) => ({
      name: posix.basename(path, ".c"),
      source: readFileSync(join(root, path), "utf8"),
    })),
  };
}

/** Packages of which at least one byte is in a bundle; what was left out of it again is not in the image. */
export function bundledPaths({ outputs }: Pick<Metafile, "outputs">): string[] {
  const found = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([input, { bytesInOutput }]) => {
      const [, path] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
      return path === undefined || bytesInOutput === 0 ? [] : [path];
    }),
  );
  return [...new Set(found)].toSorted();
}

function besidePaths(app: string): string[] {
  return readdirSync(join(app, "node_modules"), { recursive: true, encoding: "utf8" })
    .map((name) => `node_modules/${name.replaceAll(sep, "/")}`)
    .filter((name) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(name))
    .map((name) => posix.dirname(name));
}

function npmPart(root: string, lock: NpmLock, path: string, present: ReadonlySet<string>): NpmPart {
  const { version, integrity } = lockedAt(lock, path);
  const manifest = packageSchema.parse(JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")));
  if (manifest.version !== version) {
    throw new Error(
      `${path} is ${manifest.version}, and the lock file says ${version}: bring node_modules up to it with npm ci`,
    );
  }
  const files = readdirSync(join(root, path)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  return {
    path,
    name: manifest.name,
    version,
    integrity,
    licence: manifest.license,
    texts: files.toSorted().map((name) => readFileSync(join(root, path, name), "utf8")),
    needs: neededPaths(lock, path, present),
  };
}

/** Where Node would find each dependency: beside the package's own modules, or in a folder above. */
export function neededPaths(lock: NpmLock, path: string, present: ReadonlySet<string>): string[] {
  const { dependencies = {}, optionalDependencies = {}, peerDependenciesMeta = {} } = lock[path] ?? {};
  const names = new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependenciesMeta }));
  return [...names]
    .flatMap((name) => {
      let folder = path;
      for (;;) {
        const candidate = folder === TOP ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
        if (Object.hasOwn(lock, candidate)) return present.has(candidate) ? [candidate] : [];
        if (folder === TOP) return [];
        folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")));
      }
    })
    .toSorted();
}

/**
 * The versions of what is compiled into Node are asked of the Node that runs this: it is the same release, built from the same sources for another
 * processor, and the image's own cannot be run here.
 */
function nodePart(lock: NpmLock, folder: string): NodePart {
  const { version, integrity } = lockedAt(lock, NODE_LOCK);
  if (version !== process.versions.node) {
    throw new Error(
      `the image's Node is ${version}, and this is ${process.versions.node}: run this with the pinned Node`,
    );
  }
  const inside = Object.entries(process.versions).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    version,
    integrity,
    licenceText: readFileSync(join(folder, "LICENSE"), "utf8"),
    inside: Object.fromEntries(inside),
  };
}

function sqliteVersion(root: string): string {
  const header = readFileSync(join(root, "node_modules/better-sqlite3/deps/sqlite3/sqlite3.h"), "utf8");
  const [, version] = /^#define SQLITE_VERSION\s+"([\d.]+)"/m.exec(header) ?? [];
  if (version === undefined) throw new Error("better-sqlite3's SQLite does not say its version");
  return version;
}

function commonTexts(tree: string, debs: readonly DebPart[]): Map<string, string> {
  const names = new Set(debs.flatMap(({ copyright }) => readCopyright(copyright).common));
  return new Map(
    [...names]
      .toSorted()
      .filter((name) => existsSync(join(tree, "usr/share/common-licenses", name)))
      .map((name) => [name, readInside(tree, `usr/share/common-licenses/${name}`)]),
  );
}

/** A link in the tree that leads out of it would be read from this computer, and be about its own packages. */
function readInside(tree: string, path: string): string {
  if (!existsSync(join(tree, path))) throw new Error(`the packages have no ${path}`);
  const real = realpathSync(join(tree, path));
  if (relative(realpathSync(tree), real).startsWith(".."))
    throw new Error(`${path} leads out of the packages, to ${real}`);
  const bytes = readFileSync(real);
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}
