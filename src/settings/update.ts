/** Where updates of the box's image may come from. */
import { isIPv4 } from "node:net";

export interface UpdateSettings {
  /** Bundles are streamed from below this URL and from nowhere else; by IPv4 address, for the box looks up no names. Null: not at all. */
  readonly server: { readonly url: string; readonly address: string; readonly port: number } | null;
  /** PEM file: authorities that the update server's certificate may come from; null: https is not spoken. */
  readonly ca: string | null;
  /** What a stick with a bundle does: nothing, installs it, or also restarts the box when no session is open. */
  readonly usb: "off" | "install" | "restart";
}

const USB = ["off", "install", "restart"] as const;

/** The texts as they were given; null: they were not. What is wrong is added to `problems`. */
export function readUpdate(
  given: { readonly server: string | null; readonly ca: string | null; readonly usb: string },
  names: { readonly server: string; readonly usb: string },
  problems: string[],
): UpdateSettings {
  const usb = USB.find((known) => known === given.usb);
  if (usb === undefined)
    problems.push(`${names.usb} is ${JSON.stringify(given.usb)}; it takes ${USB.join(", ")}`);
  const server = given.server === null ? null : readServer(given.server);
  if (given.server !== null && server === null)
    problems.push(
      `${names.server} is ${JSON.stringify(given.server)}; it takes an http or https URL with an IPv4 address that ends in a slash, like https://10.20.0.9/niac/`,
    );
  return Object.freeze({ server, ca: given.ca, usb: usb ?? "off" });
}

function readServer(text: string): UpdateSettings["server"] {
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, port, username, password, search, hash, pathname, href } = new URL(text);
  const secure = protocol === "https:";
  if (!(secure || protocol === "http:") || !isIPv4(hostname) || !pathname.endsWith("/")) return null;
  if (username !== "" || password !== "" || search !== "" || hash !== "") return null;
  return Object.freeze({
    url: href,
    address: hostname,
    port: port === "" ? (secure ? 443 : 80) : Number(port),
  });
}
