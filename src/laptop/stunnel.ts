/** The same connections by stunnel, for computers on which niac is not to be installed. */
import { isIP } from "node:net";
import { UsageError } from "../base/index.ts";
import { chooseServices, portsToTry } from "./choose.ts";
import { openCredentials } from "./access.ts";
import { fetchDirectory, type OfferedService } from "./directory.ts";
import type { ConnectOptions, Place } from "./options.ts";
import type { LaptopSurroundings } from "./surroundings.ts";
import { keyUri } from "./token-stream.ts";

/** What stands at the top of the file, and tells the person what to do with it. */
const HEAD = `; stunnel configuration for machines behind niac. Save it as niac.conf, and run: stunnel niac.conf
; (Debian and others: stunnel4 niac.conf; Windows: open it with stunnel's own editor.) Then use the local addresses below.
; After a renewal of the certificate: send stunnel a HUP, or "Reload Configuration" in its menu.
`;

export async function printStunnel(options: ConnectOptions, around: LaptopSurroundings): Promise<void> {
  const { via, appliance } = options;
  const signal = new AbortController().signal;
  const credentials = await openCredentials(options, around);
  const directory = await fetchDirectory({ via, appliance, credentials: credentials() }, signal);
  const services = chooseServices(directory, options.wanted);
  around.print(stunnelText(options, directory.appliance, services, around.platform).trimEnd());
}

/** Exported for its tests. `site`: the appliance's name as its services' names end in. Throws a UsageError for what a line of stunnel's cannot hold. */
export function stunnelText(
  { via, appliance, files, token, listen, port }: Place & Pick<ConnectOptions, "listen" | "port">,
  site: string,
  services: readonly OfferedService[],
  platform: string,
): string {
  const used = new Set<number>();
  const sections = services.map((service) => {
    const local = portsToTry(service.port, port).find((each) => each > 1023 && !used.has(each)) ?? 0;
    used.add(local);
    const name = `${service.service}.${service.machine}.${site}`;
    return [
      `[${service.machine}/${service.service}]`,
      "client = yes",
      `accept = ${bracketed(listen)}:${local}`,
      `connect = ${bracketed(via.host)}:${via.port}`,
      `sni = ${name}`,
      // Whichever of the two the box's certificate carries.
      `checkHost = ${name}`,
      isIP(appliance) === 0 ? `checkHost = ${appliance}` : `checkIP = ${appliance}`,
    ];
  });
  const top =
    token === null
      ? []
      : ["engine = pkcs11", `engineCtrl = MODULE_PATH:${line(token.module)}`, "engineCtrl = INIT"];
  const key =
    token === null
      ? [`cert = ${line(files.certificate)}`, `key = ${line(files.key)}`]
      : [`cert = ${line(files.certificate)}`, "engineId = pkcs11", `key = ${keyUri(token, null)}`];
  return [
    HEAD,
    // Windows' stunnel is a window already, and refuses the line.
    ...(platform === "win32" ? [] : ["foreground = yes"]),
    ...top,
    ...key,
    `CAfile = ${line(files.ca)}`,
    "verifyChain = yes",
    "sslVersionMin = TLSv1.3",
    "",
    ...sections.flatMap((section) => [...section, ""]),
  ].join("\n");
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** stunnel knows no quotes: a value ends where its line does, and a comment begins after a blank and a semicolon. */
function line(path: string): string {
  if (/^[^\p{C};#]+$/u.test(path) && path.trim() === path) return path;
  throw new UsageError("stunnel-path", `stunnel cannot be given the path ${JSON.stringify(path)}`);
}
