/** A plant of two machines and their destinations, as a snapshot. */
import type { Destination, Machine, Snapshot } from "../../../src/site/index.ts";

export const PRESS_MAC = "00:1b:1b:00:00:04";
export const HMI_MAC = "00:1b:1b:00:00:05";

export const press: Machine = {
  name: "press-4",
  description: "",
  whenUnrecorded: "deny",
  address: "10.20.0.50",
  mac: PRESS_MAC,
  ping: false,
  standIn: "198.18.1.1",
  services: [
    {
      name: "modbus",
      protocol: "modbus-tcp",
      unsafeTls12: false,
      tlsPort: 802,
      tcp: { host: "10.20.0.50", port: 502 },
      serial: null,
      units: [1],
      maxConnections: 2,
      maxPending: 1,
      maxQueued: 64,
      requestTimeout: 1_000,
      queueTimeout: 1_000,
    },
  ],
};

export const hmi: Machine = {
  ...press,
  name: "hmi-4",
  address: "10.20.0.51",
  mac: HMI_MAC,
  standIn: "198.18.1.2",
  services: [],
};

export const historian: Destination = {
  name: "historian",
  reason: "",
  line: 1,
  machines: ["press-4"],
  how: "forward",
  host: "10.30.0.7",
  ports: [{ start: 1433, end: 1433 }],
  transport: "tcp",
  address: "10.30.0.7",
  names: [],
  source: "machine",
  service: null,
  serverName: null,
};

export const snapshot: Snapshot = {
  format: 1,
  version: 7,
  hash: "",
  site: {
    name: "plant",
    appliance: "niac-4.plant.example",
    timeZone: "UTC",
    limits: {
      connections: 100,
      connectionsPerSource: 10,
      handshakeTimeout: 5_000,
      idleTimeout: 60_000,
      readSummaryInterval: 60_000,
    },
  },
  network: {
    mode: "inline",
    refusal: "reset",
    device: null,
    nameServers: [],
    timeServers: [],
  },
  machines: [hmi, press],
  people: {},
  certificateGroups: [],
  grants: [],
  forbids: [],
  destinations: [historian],
  unauthenticated: [],
  postures: [],
  trust: { authorities: [], signIn: null, postureSigners: [] },
};
