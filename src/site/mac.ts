/** MAC addresses (IEEE 802, EUI-48) of one station. */
import { mistake, shown, type Reading } from "./scalar.ts";

const EXPECTED = "a MAC address such as 00:1b:1b:03:21:7a";
/** `00:1B:..`, `00-1b-..`, `001b.2233.4455`. */
const FORMS = [
  /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i,
  /^[0-9a-f]{2}(?:-[0-9a-f]{2}){5}$/i,
  /^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}$/i,
];

/** The forms above, for editors. */
export const MAC_PATTERN =
  "^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(\\.[0-9A-Fa-f]{4}){2})$";

/** Any of the three common forms to six octets in lower case with colons. */
export function readMac(input: unknown): Reading<string> {
  if (typeof input !== "string") return mistake(`${shown(input)} is no MAC address`, EXPECTED);
  const digits = input.replaceAll(/[:.-]/g, "").toLowerCase();
  const octets = digits.match(/../g) ?? [];
  const canonical = octets.join(":");
  if (!FORMS.some((form) => form.test(input))) {
    const meant = /^[0-9a-f]{12}$/.test(digits) ? canonical : undefined;
    return mistake(`${shown(input)} is no MAC address`, EXPECTED, meant);
  }
  if (canonical === "00:00:00:00:00:00") return mistake(`${input} is no station's MAC address`, EXPECTED);
  // The lowest bit of the first octet: group addresses, broadcast among them (IEEE 802, section 8.2.2).
  if (Number.parseInt(octets[0] ?? "", 16) % 2 === 1) {
    return mistake(`${input} is a multicast MAC address: no station has it`, EXPECTED);
  }
  return { value: canonical };
}
