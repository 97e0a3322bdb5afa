/** The schema of clients that may connect without a certificate for now. */
import * as z from "zod";
import { name, text } from "./scalar.ts";
import { mac, station } from "./schema-network.ts";
import { moment, whatSchema } from "./schema-rule.ts";

export const sourceSchema = z.strictObject({
  name: name("The client's name, in records and messages"),
  owner: text("Who answers for it, and sees to it that it gets a certificate", 200),
  reason: text("Why it has no certificate yet", 1000),
  until: moment("Last day, included to its end; or the instant it ends"),
  source: z
    .strictObject({
      address: station("The client's IPv4 address"),
      mac: mac("MAC address of the client, or of the router it comes through"),
    })
    .meta({ description: "What it is told by. Anyone in its network can pretend to be it" }),
  what: whatSchema.meta({
    description:
      "What it may do. Without `services`: the Modbus TCP services of these machines; without `modbus`: only read",
  }),
});

export type SourceDocument = z.output<typeof sourceSchema>;
