/** Rows of the box in the cable. */
import type { Row } from "./results.ts";

/** The fewest destinations with which TCP and UDP both have a way. */
export const DESTINATIONS = [2, 1_000, 10_000] as const;
export const RULESETS = [10, 1_000, 10_000] as const;
export const FLOODS = { oneSource: "from one address", forged: "from forged addresses" } as const;
export type Flood = keyof typeof FLOODS;
export const FLOOD_NAMES: readonly Flood[] = ["oneSource", "forged"];

/** What rows are compared with: a box that merely forwards, and the same box without a flood. */
export const FORWARDING = "forwarding";
export const CALM = "calm";

export const CABLE = "cable.";

const more = { better: "higher", compared: true } as const;
const less = { better: "lower", compared: true } as const;
const alone = { compared: false } as const;

const STEPS = {
  text: "its text made",
  check: "checked by nft",
  load: "loaded by nft",
  apply: "in force, from control's call to netd's answer",
  command: "in force, from the command `niac site apply`",
} as const;
export type Step = keyof typeof STEPS;

function counted(count: number): string {
  return `${count.toLocaleString("en")} destinations`;
}

export const CABLE_ROWS: readonly Row[] = [
  ...DESTINATIONS.map((n): Row => {
    return {
      ...more,
      path: `cable.forward.tcp.rules${n}`,
      label: `Forwarded TCP, ${counted(n)}`,
      unit: "Gbit/s",
    };
  }),
  ...DESTINATIONS.map((n): Row => {
    const label = `Forwarded UDP packets, ${counted(n)}`;
    return { ...more, path: `cable.forward.packets.rules${n}`, label, unit: "1/s" };
  }),
  ...DESTINATIONS.map((n): Row => {
    const label = `New connections, ${counted(n)}`;
    return { ...more, path: `cable.forward.connections.rules${n}`, label, unit: "1/s" };
  }),
  {
    ...less,
    path: "cable.modbusRead.median",
    label: "Inspected Modbus read, median",
    unit: "µs",
  },
  { ...less, path: "cable.modbusRead.p99", label: "Inspected Modbus read, p99", unit: "µs" },
  ...RULESETS.flatMap((n) =>
    Object.entries(STEPS).map(([step, words]): Row => {
      const label = `Ruleset of ${counted(n)}, ${words}`;
      return { ...alone, better: "lower", path: `cable.ruleset.rules${n}.${step}`, label, unit: "ms" };
    }),
  ),
  ...FLOOD_NAMES.flatMap((flood): Row[] => {
    const about = (what: string): string => `Flood ${FLOODS[flood]}: ${what}`;
    const at = (name: string): string => `cable.flood.${flood}.${name}`;
    return [
      { ...alone, better: "higher", path: at("sent"), label: about("packets sent"), unit: "1/s" },
      {
        ...alone,
        better: "higher",
        path: at("lookedAt"),
        label: about("packets netd looked at"),
        unit: "1/s",
      },
      { ...alone, better: "lower", path: at("netdCore"), label: about("netd's share of a core"), unit: "%" },
      {
        ...alone,
        better: "lower",
        path: at("boxCore"),
        label: about("all processes' share of a core"),
        unit: "%",
      },
      { ...more, path: at("tcp"), label: about("forwarded TCP meanwhile"), unit: "Gbit/s" },
      {
        ...less,
        path: at("modbusRead"),
        label: about("inspected Modbus read meanwhile, median"),
        unit: "µs",
      },
    ];
  }),
];
