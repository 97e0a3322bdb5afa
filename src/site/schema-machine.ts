/** The schema of machines and their services. */
import * as z from "zod";
import { RANGE_PATTERN, readUnit } from "./address.ts";
import { readEndpoint } from "./network.ts";
import { duration, mistake, name, scalar, shown, text, whole } from "./scalar.ts";
import { mac, station } from "./schema-network.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const unsafeTls12 = z.boolean().default(false).meta({
  description: "Take TLS 1.2 for this service, for clients that have no 1.3. A weakening: off unless needed",
});

const units = (last: number) =>
  z
    .array(
      scalar(
        {
          description: "Unit identifier, or a range",
          anyOf: [
            { type: "integer", minimum: 0, maximum: last },
            { type: "string", pattern: RANGE_PATTERN },
          ],
        },
        (input) => readUnit(last, input),
      ),
    )
    .min(1)
    .optional()
    .meta({ description: "Units that exist behind this service; without it, any" });

/** What holds for a Modbus service where its document says nothing. */
export const MODBUS_DEFAULTS = {
  maxConnections: 2,
  maxPending: 1,
  maxQueued: 256,
  requestTimeout: 2 * SECOND,
  queueTimeout: 5 * SECOND,
} as const;

export const maxConnections = (description: string) =>
  whole(description, 1, 64, MODBUS_DEFAULTS.maxConnections);
export const requestTimeout = (description: string) => duration(description, 10, MINUTE, "2s");

const modbusLimits = {
  maxQueued: whole(
    "Requests waiting at most, over all sessions; beyond it, exception 06",
    1,
    65_536,
    MODBUS_DEFAULTS.maxQueued,
  ).default(MODBUS_DEFAULTS.maxQueued),
  requestTimeout: requestTimeout(
    "Time for the machine's answer, from the moment it is asked; beyond it, exception 0B",
  ).default(MODBUS_DEFAULTS.requestTimeout),
  queueTimeout: duration(
    "Time that a request waits at most until the machine is asked; beyond it, exception 06. More for a slow machine that many ask",
    10,
    MINUTE,
    "5s",
  ).default(MODBUS_DEFAULTS.queueTimeout),
  unsafeTls12,
};

const endpoint = (description: string, port: number | null) =>
  scalar({ description, type: "string" }, (input) => readEndpoint(input, port));

const port = whole(
  "Port of the machine's own address at which it listens; without it 502 for Modbus",
  1,
  65_535,
);

const tlsPort = whole(
  "Port of the machine's own address at which the appliance answers for it with mutual TLS. Without it 802 for Modbus, else the service's own",
  1,
  65_535,
);

const modbusTcp = z.strictObject({
  protocol: z.literal("modbus-tcp").meta({ description: "Modbus TCP" }),
  address: endpoint(
    "Where it listens if not at the machine's own address: host:port, port 502 where none is given",
    502,
  ).optional(),
  port: port.optional(),
  tlsPort: tlsPort.optional(),
  units: units(255),
  maxConnections: maxConnections("Connections niac opens to the machine at most").default(
    MODBUS_DEFAULTS.maxConnections,
  ),
  maxPending: whole(
    "Requests a connection carries unanswered at most",
    1,
    64,
    MODBUS_DEFAULTS.maxPending,
  ).default(MODBUS_DEFAULTS.maxPending),
  ...modbusLimits,
});

const serialPath = scalar(
  {
    description: "The serial line's device, e.g. /dev/ttyS1",
    type: "string",
    pattern: "^/dev/[A-Za-z0-9._/-]+$",
  },
  (input) => {
    const good =
      typeof input === "string" && /^\/dev\/[A-Za-z0-9._/-]+$/.test(input) && !input.includes("..");
    return good && input.length <= 255
      ? { value: input }
      : mistake(`${shown(input)} is no serial line`, "a device such as /dev/ttyS1");
  },
);

const BAUD_RATES = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];

const baudRate = scalar({ description: "Bits per second", enum: BAUD_RATES, fallback: 19_200 }, (input) =>
  typeof input === "number" && BAUD_RATES.includes(input)
    ? { value: input }
    : mistake(`${shown(input)} is no rate of a serial line`, BAUD_RATES.join(", ")),
);

const modbusRtu = z.strictObject({
  protocol: z.literal("modbus-rtu").meta({ description: "Modbus RTU on a serial line of the appliance" }),
  serial: z
    .strictObject({
      path: serialPath,
      baudRate: baudRate.default(19_200),
      parity: z.enum(["none", "even", "odd"]).default("even").meta({ description: "Parity" }),
      stopBits: z
        .union([z.literal(1), z.literal(2)])
        .optional()
        .meta({
          description:
            "Stop bits; without it 1 with parity and 2 without (Modbus over Serial Line V1.02, 2.5.1)",
        }),
    })
    .meta({ description: "The serial line" }),
  units: units(247),
  ...modbusLimits,
});

const tcp = z.strictObject({
  protocol: z.literal("tcp").meta({ description: "Relayed as it is: VNC, SSH, HTTP, S7, EtherNet/IP" }),
  address: endpoint("Where it listens if not at the machine's own address: host:port", null).optional(),
  port: port.optional(),
  tlsPort: tlsPort.optional(),
  unsafeTls12,
});

const serviceSchema = z
  .discriminatedUnion("protocol", [modbusTcp, modbusRtu, tcp])
  .meta({ description: "A service of the machine" });

export const machineSchema = z.strictObject({
  description: text("What and where this machine is", 1000).default(""),
  whenUnrecorded: z.enum(["deny", "readOnly", "allow"]).default("readOnly").meta({
    description: "What still runs while nothing can be recorded: nothing, what only reads, or everything",
  }),
  address: station("The machine's own IPv4 address").optional(),
  mac: mac("The machine's MAC address; needed beside `address` where the site has a `network`").optional(),
  ping: z.boolean().default(false).meta({
    description: "Pass echo requests from the plant network on to the machine",
  }),
  services: z
    .record(name("The service's name"), serviceSchema)
    .default({})
    .meta({ description: "What the machine offers, by name" }),
});

export type MachineDocument = z.output<typeof machineSchema>;
export type ServiceDocument = z.output<typeof serviceSchema>;
