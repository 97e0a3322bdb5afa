import { table } from "../base/index.ts";
import { openCredentials } from "./access.ts";
import { fetchDirectory, type Directory } from "./directory.ts";
import type { Place } from "./options.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

/** Prints what this certificate may use now, and nothing else. */
export async function listMachines(place: Place, json: boolean, around: LaptopSurroundings): Promise<void> {
  const { via, appliance } = place;
  const signal = new AbortController().signal;
  const credentials = await openCredentials(place, around);
  const directory = await fetchDirectory({ via, appliance, credentials: credentials() }, signal);
  if (json) around.print(JSON.stringify(directory));
  else for (const line of machinesTable(directory)) around.print(line);
}

export function machinesTable({ appliance, user, services }: Directory): string[] {
  if (services.length === 0) {
    return [
      `${user} may use no machine of ${appliance} now.`,
      "Who may use what stands in the site document; a grant can also depend on the time, or on where you are.",
    ];
  }
  const rows = services.map((each) => [
    each.machine,
    each.service,
    each.protocol,
    String(each.port),
    each.description,
  ]);
  return [
    `${user} may use, at ${appliance}:`,
    "",
    ...table(["MACHINE", "SERVICE", "PROTOCOL", "PORT", "WHAT IT IS"], rows),
  ];
}
