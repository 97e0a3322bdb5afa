import { readFileSync } from "node:fs";
import test from "ava";
import { z } from "zod";
import { parseTracked } from "../../../src/isolation/conntrack.ts";

const amount = z.int().min(0);
const vectors = z
  .array(
    z.strictObject({
      name: z.string(),
      line: z.string(),
      tracked: z
        .strictObject({
          transport: z.enum(["tcp", "udp"]),
          state: z.string(),
          from: z.ipv4(),
          fromPort: amount,
          to: z.ipv4(),
          toPort: amount,
          packetsOut: amount,
          bytesOut: amount,
          packetsIn: amount,
          bytesIn: amount,
        })
        .nullable(),
    }),
  )
  .parse(
    JSON.parse(readFileSync(new URL("../../vectors/isolation/conntrack.json", import.meta.url), "utf8")),
  );

for (const { name, line, tracked } of vectors) {
  test(`a line of conntrack 1.4.7: ${name}`, (t) => {
    t.deepEqual(parseTracked(line), tracked);
  });
}
