/**
 * Writes src/site/site.schema.json, the published JSON Schema of the site document, from the schema in the code:
 * `node scripts/site-schema.ts`. A test fails where the two differ.
 */
import { writeFileSync } from "node:fs";
import { jsonSchema } from "../src/site/index.ts";

writeFileSync(
  new URL("../src/site/site.schema.json", import.meta.url),
  `${JSON.stringify(jsonSchema(), null, 2)}\n`,
);
