import { UsageError } from "../base/index.ts";
import type { Directory, OfferedService } from "./directory.ts";
import type { ConnectOptions } from "./options.ts";

/** Below it, most systems give ports to administrators only. */
const PRIVILEGED = 1024;
/** Where a privileged port's stand-ins begin: 1502 for 502, 1080 for 80. */
const SHIFT = 1000;
const TRIES = 20;
/** The system picks a free one. */
const ANY = 0;

/** The services that were asked for, in the directory's order. Throws a UsageError that lists what there is. */
export function chooseServices(
  directory: Directory,
  wanted: ConnectOptions["wanted"],
): readonly OfferedService[] {
  const { user, appliance, services } = directory;
  if (services.length === 0) {
    throw new UsageError(
      "nothing-permitted",
      `${user} may use no machine of ${appliance} now`,
      "Who may use what stands in the site document; a grant can also depend on the time, or on where you are.",
    );
  }
  if (wanted === "all") return services;
  for (const { machine, service } of wanted) {
    const found = services.some(
      (each) => each.machine === machine && (service ?? each.service) === each.service,
    );
    if (found) continue;
    const what = service === null ? machine : `${machine}/${service}`;
    throw new UsageError(
      "not-permitted",
      `${appliance} has no ${what}, or ${user} may not use it now`,
      `Permitted now: ${services.map((each) => `${each.machine}/${each.service}`).join(", ")}.`,
    );
  }
  return services.filter((each) =>
    wanted.some(
      ({ machine, service }) => machine === each.machine && (service ?? each.service) === each.service,
    ),
  );
}

/** Local ports to try for a machine's port, best first. */
export function portsToTry(port: number, exact: number | null): readonly number[] {
  if (exact !== null) return [exact];
  const first = port < PRIVILEGED ? port + SHIFT : port + 1;
  const near = Array.from({ length: TRIES }, (_, index) => first + index).filter((each) => each <= 65_535);
  return [port, ...near, ANY];
}

/** A command to paste that uses the service, by its protocol and the port the machine itself has. */
export function whatToPaste({ protocol, port }: OfferedService, address: string, local: number): string {
  const place = `${address.includes(":") ? `[${address}]` : address}:${local}`;
  if (protocol.startsWith("modbus-")) return `mbpoll -m tcp -p ${local} -a 1 -1 ${address}`;
  if (port === 22) return `ssh -p ${local} ${address}`;
  if (port === 80 || port === 8080) return `http://${place}/`;
  if (port === 443 || port === 8443) return `https://${place}/`;
  if (port >= 5900 && port <= 5909) return `vncviewer ${address}::${local}`;
  return place;
}
