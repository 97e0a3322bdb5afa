/** A small image's parts, for the tests of what is written about them. */
import { createHash } from "node:crypto";
import type { NpmPart, Parts } from "../../../../scripts/image.d/parts.ts";
import type { Deb } from "../../../../scripts/image.d/debs.ts";

export const GPL2 = "GNU GENERAL PUBLIC LICENSE\nVersion 2, June 1991\n";

export function deb(name: string, over: Partial<Deb> = {}): Deb {
  return {
    package: name,
    version: "1.0-1",
    architecture: "arm64",
    source: name,
    sourceVersion: "1.0-1",
    depends: "",
    provides: "",
    sha256: createHash("sha256").update(name).digest("hex"),
    ...over,
  };
}

export function integrityOf(text: string): string {
  return `sha512-${createHash("sha512").update(text).digest("base64")}`;
}

export function npm(path: string, over: Partial<NpmPart> = {}): NpmPart {
  const name = path.replace(/^.*node_modules\//, "");
  return {
    path,
    name,
    version: "2.0.0",
    integrity: integrityOf(path),
    licence: "MIT",
    texts: [`MIT, ${name}`],
    needs: [],
    ...over,
  };
}

const copyright = (licences: string): string =>
  `Format: copyright-format/1.0\n\nFiles: *\nCopyright: its authors\nLicense: ${licences}\n`;

export function parts(over: Partial<Parts> = {}): Parts {
  return {
    debian: "13.7",
    debs: [
      {
        deb: deb("libc6", { version: "2.41-12+deb13u1", source: "glibc", sourceVersion: "2.41-12+deb13u1" }),
        copyright: copyright("LGPL-2.1+"),
      },
      {
        deb: deb("nftables", {
          version: "1:1.1.3-1",
          sourceVersion: "1:1.1.3-1",
          depends: "libc6 (>= 2.38)",
        }),
        copyright: copyright("GPL-2 and MIT"),
      },
      { deb: deb("busybox-static"), copyright: "See /usr/share/common-licenses/GPL-2.\n" },
    ],
    asked: ["nftables", "busybox-static"],
    common: new Map([["GPL-2", GPL2]]),
    npm: [
      npm("node_modules/better-sqlite3"),
      npm("node_modules/serialport", { needs: ["node_modules/@serialport/stream"] }),
      npm("node_modules/@serialport/stream", {
        needs: ["node_modules/@serialport/stream/node_modules/debug"],
      }),
      npm("node_modules/@serialport/stream/node_modules/debug", { licence: "(MIT OR CC0-1.0)", texts: [] }),
    ],
    direct: ["node_modules/better-sqlite3", "node_modules/serialport"],
    node: {
      version: "24.21.0",
      integrity: integrityOf("node"),
      licenceText: "Node.js is licensed for use as follows\n",
      inside: { node: "24.21.0", modules: "137", nghttp3: "", openssl: "3.5.8", v8: "13.6.233.17-node.53" },
    },
    sqlite: "3.54.1",
    ownLicence: "Apache License\n",
    drivers: [{ name: "niac_tryboot", source: "// the module\n" }],
    ...over,
  };
}
