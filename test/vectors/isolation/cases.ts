/** What the rulesets beside this file are made from: a site document each, and the ports of the box it is for. */
import { readdirSync, readFileSync } from "node:fs";
import { planOf, type Plan, type Ports } from "../../../src/isolation/plan.ts";
import { parseSite } from "../../../src/site/index.ts";

export const PORTS: Ports = {
  uplink: "uplink",
  device: "device",
  address: { address: "10.20.0.100", prefix: 24 },
  gateway: "10.20.0.1",
  services: [802, 8443],
};

/** A box that the plant's DHCP gives its address, and that answers for machines alone. */
const NO_ADDRESS: Ports = { ...PORTS, address: null, gateway: null, services: [] };

export interface Case {
  readonly name: string;
  readonly plan: Plan;
  /** The ruleset as it should be. */
  readonly golden: URL;
}

/** The plan of a document; throws its mistakes. */
export function planOfText(text: string, ports = PORTS): Plan {
  const { snapshot, findings } = parseSite(text, "site.yaml");
  if (snapshot === null) throw new Error(findings.map(({ message }) => message).join("\n"));
  return planOf(snapshot, ports);
}

function caseOf(file: string): Case[] {
  const name = /^(.*)\.yaml$/.exec(file)?.[1];
  if (name === undefined) return [];
  const text = readFileSync(new URL(file, import.meta.url), "utf8");
  const plan = planOfText(text, name === "silent" ? NO_ADDRESS : PORTS);
  return [{ name, plan, golden: new URL(`${name}.nft`, import.meta.url) }];
}

/** Those of the documents, and the one of no document at all. */
export const cases: readonly Case[] = [
  { name: "nothing", plan: planOf(null, PORTS), golden: new URL("nothing.nft", import.meta.url) },
  ...readdirSync(new URL(".", import.meta.url)).toSorted().flatMap(caseOf),
];

export function planNamed(name: string): Plan {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`there is no document ${name}`);
  return found.plan;
}
