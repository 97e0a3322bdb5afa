/** The schema of destinations: where machines may themselves connect to. */
import { isIPv4, isIPv6 } from "node:net";
import * as z from "zod";
import { RANGE_PATTERN, readPorts } from "./address.ts";
import { unusable } from "./ipv4.ts";
import { host, readDnsName } from "./network.ts";
import { mistake, name, scalar, shown, text, whole, type Reading } from "./scalar.ts";
import { maxConnections, requestTimeout } from "./schema-machine.ts";
import { modbusSchema } from "./schema-modbus.ts";

const MAX_NAMES = 32;

function readHost(input: unknown): Reading<string> {
  const expected = "an IPv4 address or a DNS name";
  const known = typeof input === "string" ? host(input) : null;
  if (known === null) return mistake(`${shown(input)} is no host`, expected);
  if (isIPv6(known)) return mistake(`${known}: the device port carries no IPv6`, expected);
  const why = isIPv4(known) ? unusable(known) : null;
  return why === null ? { value: known } : mistake(`${known} ${why}`, expected);
}

function readServerName(input: unknown): Reading<string> {
  const known = typeof input === "string" ? host(input) : null;
  return known === null
    ? mistake(`${shown(input)} is no name of a server`, "a DNS name or an IP address, as on its certificate")
    : { value: known };
}

const fields = z.strictObject({
  name: name("The destination's name"),
  reason: text("Why machines need it", 1000),
  machines: z
    .union([z.literal("all"), z.array(name("A machine's name")).min(1)])
    .meta({ description: "Machines that may connect there, or `all`" }),
  how: z.enum(["forward", "inspect", "wrap"]).meta({
    description:
      "forward: by the kernel as it is; inspect: through the gateway, as Modbus; wrap: in mutual TLS to another appliance or server",
  }),
  host: scalar(
    { description: "IPv4 address; for inspect and wrap also a DNS name", type: "string", maxLength: 253 },
    readHost,
  ),
  ports: z
    .array(
      scalar(
        {
          description: "Port, or a range",
          anyOf: [
            { type: "integer", minimum: 1, maximum: 65_535 },
            { type: "string", pattern: RANGE_PATTERN },
          ],
        },
        readPorts,
      ),
    )
    .min(1)
    .meta({ description: "Ports the machine asks for; one for inspect and wrap" }),
  transport: z.enum(["tcp", "udp"]).default("tcp").meta({ description: "Transport" }),
  names: z
    .array(scalar({ description: "DNS name", type: "string", maxLength: 253 }, readDnsName))
    .min(1)
    .max(MAX_NAMES, `more than ${MAX_NAMES} names`)
    .optional()
    .meta({
      description: "DNS names machines may look up for it; a host given by name is always among them",
    }),
  source: z.enum(["machine", "appliance"]).optional().meta({
    description:
      "Whose address the destination sees. Without it: the machine's in mode inline, else the appliance's",
  }),
  modbus: modbusSchema.optional().meta({
    description:
      "What machines may ask of it by Modbus, as in a grant. inspect: needed; wrap: without it bytes pass as they are",
  }),
  tlsPort: whole(
    "Of wrap: port of the TLS server. Without it 802 for Modbus, else the port the machine asks for",
    1,
    65_535,
  ).optional(),
  serverName: scalar(
    {
      description: "Of wrap: the name asked for, and demanded of the server's certificate. Without it: host",
      type: "string",
      maxLength: 253,
    },
    readServerName,
  ).optional(),
  maxConnections: maxConnections("Of Modbus: connections niac opens there at most").optional(),
  requestTimeout: requestTimeout("Of Modbus: time for an answer; beyond it, exception 0B").optional(),
});

type Given = z.output<typeof fields>;

/** What stands there and says nothing with this `how`, with where it belongs. */
function misplaced({ how, modbus, ...given }: Given): readonly (readonly [key: string, belongs: string])[] {
  const wrapOnly = (["tlsPort", "serverName"] as const).filter(
    (key) => how !== "wrap" && given[key] !== undefined,
  );
  const unread = how === "forward" || (how === "wrap" && modbus === undefined);
  const modbusOnly = (["maxConnections", "requestTimeout"] as const).filter(
    (key) => unread && given[key] !== undefined,
  );
  return [
    ...(how === "forward" && modbus !== undefined ? [["modbus", "how: inspect, or wrap"] as const] : []),
    ...wrapOnly.map((key) => [key, "how: wrap"] as const),
    ...modbusOnly.map((key) => [key, "how: inspect, or wrap with modbus"] as const),
  ];
}

export const destinationSchema = fields.superRefine((given, context) => {
  const { how, host: target, transport, ports } = given;
  const issue = (key: string, message: string, params: { missing?: true; expected: string }) =>
    context.addIssue({ code: "custom", path: [key], message, params });
  for (const [key, expected] of misplaced(given))
    issue(key, `${key} says nothing with how: ${how}`, { expected });
  if (how === "forward") {
    if (!isIPv4(target)) {
      issue("host", `${target} cannot be forwarded to`, {
        expected: "an IPv4 address: the kernel's rules know no names",
      });
    }
    return;
  }
  if (transport === "udp") {
    issue("transport", `udp cannot be carried with how: ${how}`, { expected: "tcp, or how: forward" });
  }
  const [only] = ports;
  if (ports.length !== 1 || only?.start !== only?.end) {
    issue("ports", `how: ${how} takes one port`, { expected: "one port; a destination for each" });
  }
  if (how === "inspect" && given.modbus === undefined) {
    issue("modbus", "missing", {
      missing: true,
      expected: "what machines may ask, e.g. { functions: readOnly }",
    });
  }
});

export type DestinationDocument = z.output<typeof destinationSchema>;
