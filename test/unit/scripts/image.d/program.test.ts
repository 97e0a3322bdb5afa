import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { makeProgram } from "../../../../scripts/image.d/program.ts";

test("the program carries no text in languages it does not speak, and imports nothing that brings Node's undici", async (t) => {
  const out = mkdtempSync(join(tmpdir(), "niac-program-"));
  t.teardown(() => rmSync(out, { recursive: true, force: true }));
  const root = fileURLToPath(new URL("../../../../", import.meta.url));
  const { outputs } = await makeProgram(root, out);
  const pieces = Object.values(outputs);
  t.true(pieces.length > 5);
  const sources = pieces.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : [])),
  );
  // zod's messages in fifty languages come with `import { z }`; with `import * as z`, what is used.
  t.deepEqual(
    sources.filter((name) => name.includes("/zod/v4/locales/") && !name.endsWith("/en.js")),
    [],
  );
  // base/node-http.ts says why.
  const imported = pieces.flatMap(({ imports }) => imports.map(({ path }) => path));
  t.true(imported.includes("node:net"));
  t.false(imported.includes("node:http"));
});
