/** The schema of how the appliance stands in the cable, and of addresses on its two ports. */
import * as z from "zod";
import { readInterface, readIpv4, readStation } from "./ipv4.ts";
import { MAC_PATTERN, readMac } from "./mac.ts";
import { scalar } from "./scalar.ts";

/** An address of one station on either side of the appliance. */
export const station = (description: string) =>
  scalar({ description, type: "string", pattern: "^\\d+(\\.\\d+){3}$" }, readStation);

export const mac = (description: string) =>
  scalar({ description, type: "string", pattern: MAC_PATTERN }, readMac);

const MAX_SERVERS = 8;

const servers = (description: string) =>
  z
    .array(scalar({ description: "IPv4 address", type: "string" }, readIpv4))
    .max(MAX_SERVERS, `more than ${MAX_SERVERS} servers`)
    .default([])
    .meta({ description });

export const networkSchema = z
  .strictObject({
    mode: z.enum(["inline", "routed"]).meta({
      description:
        "inline: machines keep their addresses in the plant's network; routed: the device port is a subnet of its own",
    }),
    refusal: z.enum(["reset", "silent"]).default("reset").meta({
      description:
        "What whoever is refused gets: a TCP reset or ICMP administratively prohibited, or nothing at all",
    }),
    device: z
      .strictObject({
        address: scalar(
          {
            description: "The appliance's own address on the device port, with its prefix: 192.168.77.1/24",
            type: "string",
            pattern: "^\\d+(\\.\\d+){3}/\\d+$",
          },
          readInterface,
        ),
        dhcp: z.boolean().default(false).meta({
          description: "Give the machines their addresses by DHCP, each its own, told by its MAC address",
        }),
      })
      .optional()
      .meta({ description: "The device port. Of mode routed, and needed there" }),
    nameServers: servers(
      "DNS servers the appliance asks for destinations given by name; machines never reach them",
    ),
    timeServers: servers(
      "NTP servers that machines may ask: the appliance asks them itself and answers; its own clock follows them",
    ),
  })
  .superRefine(({ mode, device }, context) => {
    if (mode === "routed" && device === undefined) {
      context.addIssue({
        code: "custom",
        path: ["device"],
        message: "missing",
        params: { missing: true, expected: 'device: { address: "192.168.77.1/24" }' },
      });
    }
    if (mode === "inline" && device !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["device"],
        message: "with mode inline the device port has no subnet of its own",
        params: { expected: "no device, or mode: routed" },
      });
    }
  });

export type NetworkDocument = z.output<typeof networkSchema>;
