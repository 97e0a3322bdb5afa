/**
 * Addresses and ports that exist inside the appliance only: between the kernel's ruleset and the gateway. The addresses are of
 * the range for tests of network devices (RFC 2544, section C.2.2), which no plant uses.
 */
export const INNER = Object.freeze({
  /** All of them; no packet with such an address crosses the uplink. */
  network: "198.18.0.0/15",
  /** The appliance's own and machines' stand-ins, which cross no port. The others are destinations given by name, as machines see them. */
  hidden: "198.18.0.0/16",
  /** The appliance itself. */
  address: "198.18.0.1",
  /** Listeners that the kernel hands captured connections to: laptops', clients' without a certificate, machines' own. */
  captured: 15_802,
  plain: 15_502,
  outbound: 15_503,
  /** Where machines' DNS and NTP queries end. */
  dns: 15_353,
  ntp: 15_123,
  /** Marks of packets, and the routing tables that captured and refused ones take. */
  marks: Object.freeze({ captured: 1, refused: 2, tracked: 3, ping: 4, error: 5 }),
  tables: Object.freeze({ captured: 10_001, refused: 10_002 }),
  /** The TUN interface at which refused packets end. */
  sinkhole: "niac0",
} as const);
