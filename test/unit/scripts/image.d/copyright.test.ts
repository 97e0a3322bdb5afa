import test from "ava";
import { isCopyleft, readCopyright, spdxOf } from "../../../../scripts/image.d/copyright.ts";

const HEAD = "Format: copyright-format/1.0\n\n";

test("a machine-readable file: every short name once, of Files and of stand-alone paragraphs", (t) => {
  const text = `${HEAD}Files: *\nCopyright: A\nLicense: GPL-2+\n\nFiles: b\nLicense: GPL-2+ and (Expat or BSD-3-clause)\n\nLicense: Expat\n Permission is granted\n`;
  t.deepEqual(readCopyright(text).names, ["BSD-3-clause", "Expat", "GPL-2+"]);
});

test("exceptions stay with their licence, and lists are divided", (t) => {
  const text = `${HEAD}Files: *\nLicense: GPL-2+ with OpenSSL exception, LGPL-2.1 | ISC\n`;
  t.deepEqual(readCopyright(text).names, ["GPL-2+ with OpenSSL exception", "ISC", "LGPL-2.1"]);
});

test("texts that belong to it: those it points to, and those of the names it has", (t) => {
  const text = `${HEAD}Files: *\nLicense: GPL-2+\n\nFiles: b\nLicense: other\n On Debian systems: /usr/share/common-licenses/GPL-3.\n`;
  t.deepEqual(readCopyright(text).common, ["GPL-2", "GPL-3", "other"]);
});

test("a file in no form says only which texts it points to, and claims no more", (t) => {
  const text =
    "This is free software.\nSee /usr/share/common-licenses/LGPL-2.1, and `/usr/share/common-licenses/GPL'.\n";
  t.deepEqual(readCopyright(text), {
    names: ["common-licenses/GPL", "common-licenses/LGPL-2.1"],
    common: ["GPL", "LGPL-2.1"],
  });
  t.deepEqual(readCopyright("Do what you like.\n"), { names: [], common: [] });
});

test("Debian's names and SPDX's", (t) => {
  const same = {
    "GPL-2": "GPL-2.0-only",
    "GPL-2+": "GPL-2.0-or-later",
    "GPL-3.0+": "GPL-3.0-or-later",
    "LGPL-2.1+": "LGPL-2.1-or-later",
    "GPL-2.0-only": "GPL-2.0-only",
    "GPL-3.0-or-later": "GPL-3.0-or-later",
    "AGPL-3": "AGPL-3.0-only",
    "GFDL-1.3+": "GFDL-1.3-or-later",
    Expat: "MIT",
    "BSD-3-clause": "BSD-3-Clause",
    zlib: "Zlib",
    "Apache-2.0": "Apache-2.0",
  };
  for (const [name, id] of Object.entries(same)) t.is(spdxOf(name), id, name);
});

test("no identifier where none is certain", (t) => {
  for (const name of [
    "GPL",
    "LGPL",
    "GPL-5",
    "GFDL-1",
    "common-licenses/GPL-2",
    "public-domain",
    "GPL-2+ with OpenSSL exception",
    "",
  ])
    t.is(spdxOf(name), undefined, name);
});

test("who must offer the source", (t) => {
  for (const name of [
    "GPL-2.0-only",
    "LGPL",
    "common-licenses/GPL",
    "GPL-2+-or-X11",
    "MPL-2.0",
    "CC-BY-SA-4.0",
    "SMAIL-GPL",
    "(MIT OR GPL-3.0-or-later)",
  ])
    t.true(isCopyleft(name), name);
  for (const name of [
    "MIT",
    "BSD-3-Clause",
    "Apache-2.0",
    "Artistic-2.0",
    "public-domain",
    "CC-BY-4.0",
    "simple",
    "ISC",
  ])
    t.false(isCopyleft(name), name);
});
