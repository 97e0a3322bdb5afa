import { readFileSync } from "node:fs";
import test from "ava";
import { z } from "zod";
import { jsonSchema } from "../../../src/site/index.ts";

test("site.schema.json is the schema of the code (else run `node scripts/site-schema.ts`)", (t) => {
  const published: unknown = JSON.parse(
    readFileSync(new URL("../../../src/site/site.schema.json", import.meta.url), "utf8"),
  );
  t.deepEqual(published, JSON.parse(JSON.stringify(jsonSchema())));
});

const node = z.looseObject({
  description: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
});

test("every field has a description for the editor, and no object takes unknown keys", (t) => {
  const bare: string[] = [];
  const open: string[] = [];
  let fields = 0;
  const walk = (value: unknown, path: string) => {
    const parsed = node.safeParse(value);
    if (!parsed.success) return;
    const { properties, additionalProperties, items, anyOf, oneOf } = parsed.data;
    if (properties !== undefined && additionalProperties !== false) open.push(path);
    for (const [key, property] of Object.entries(properties ?? {})) {
      fields += 1;
      if (node.parse(property).description === undefined) bare.push(`${path}.${key}`);
      walk(property, `${path}.${key}`);
    }
    walk(additionalProperties, `${path}.*`);
    walk(items, `${path}[]`);
    for (const option of [...(anyOf ?? []), ...(oneOf ?? [])]) walk(option, path);
  };
  walk(jsonSchema(), "");
  t.deepEqual(bare, []);
  t.deepEqual(open, []);
  t.true(fields > 80);
});

function at(path: readonly string[]): unknown {
  return path.reduce<unknown>((value, step) => z.looseObject({}).parse(value)[step], jsonSchema());
}

test("what must be given is required, what has a default says it", (t) => {
  t.deepEqual(at(["properties", "site", "required"]), ["name", "appliance", "timeZone"]);
  t.deepEqual(at(["properties", "grants", "items", "required"]), ["name", "reason", "who", "what"]);
  t.deepEqual(at(["properties", "network", "required"]), ["mode"]);
  t.deepEqual(at(["properties", "unsafeUnauthenticated", "items", "required"]), [
    "name",
    "owner",
    "reason",
    "until",
    "source",
    "what",
  ]);
  t.is(at(["properties", "site", "properties", "limits", "properties", "idleTimeout", "default"]), "15m");
  t.is(at(["properties", "site", "properties", "limits", "properties", "connections", "default"]), 512);
});
