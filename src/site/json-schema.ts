/** The JSON Schema of the site document, for editors: completion, and the description of every field. */
import * as z from "zod";
import { documentSchema } from "./schema.ts";

/** JSON Schema 2020-12 of what an admin writes. `site.schema.json` is this, published. */
export function jsonSchema(): object {
  return {
    ...z.toJSONSchema(documentSchema, {
      io: "input",
      override: ({ jsonSchema: schema }) => {
        const { fallback } = schema;
        if (fallback === undefined) return;
        delete schema["fallback"];
        schema["default"] = fallback;
      },
    }),
    title: "niac site document",
  };
}
