/** CycloneDX's own schema, from the library that its makers publish. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import { z } from "zod";

const require = createRequire(import.meta.url);
const folder = join(dirname(require.resolve("@cyclonedx/cyclonedx-library/package.json")), "res/schema");
const schemaOf = (name: string): Record<string, unknown> =>
  z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), "utf8")));

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** What is wrong with a document of version 1.6, a line each; empty: nothing. */
export function cycloneDxErrors(document: unknown): string[] {
  // Addresses may be internationalized; the image's document has none but its schema's own.
  const formats = {
    "date-time": DATE_TIME,
    "iri-reference": true,
    "idn-email": true,
    email: true,
    uri: true,
  } as const;
  const ajv = new Ajv({ strict: false, allErrors: true, formats });
  for (const name of ["spdx", "jsf-0.82"])
    ajv.addSchema(schemaOf(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  ajv.validate(schemaOf("bom-1.6"), document);
  return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

export const bomSchema = z.object({
  serialNumber: z.string(),
  metadata: z.object({ timestamp: z.string(), component: z.object({ "bom-ref": z.string() }) }),
  components: z.array(
    z.object({
      type: z.string(),
      "bom-ref": z.string(),
      name: z.string(),
      version: z.string(),
      purl: z.string().optional(),
      cpe: z.string().optional(),
      hashes: z.array(z.object({ alg: z.string(), content: z.string() })).optional(),
      licenses: z.array(z.unknown()).optional(),
    }),
  ),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});
export type Bom = z.infer<typeof bomSchema>;

/** References of components that cannot be reached from the image by following what needs what. */
export function unreached({ metadata, components, dependencies }: Bom): string[] {
  const needs = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const seen = new Set<string>();
  const next = [metadata.component["bom-ref"]];
  for (let ref = next.pop(); ref !== undefined; ref = next.pop()) {
    if (seen.has(ref)) continue;
    seen.add(ref);
    next.push(...(needs.get(ref) ?? []));
  }
  return components.map((one) => one["bom-ref"]).filter((ref) => !seen.has(ref));
}
