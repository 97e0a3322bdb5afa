/**
 * A peer with niac's own Node and OpenSSL, and nothing else: ends mutual TLS 1.3 and passes bytes on. What niac takes beyond it is niac's.
 *
 *     node-proxy.ts PORT CERTIFICATE KEY CLIENT_CA MACHINE_PORT    files are PEM; prints a line when it is ready
 */
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createServer } from "node:tls";

const [port = "", certificate = "", key = "", clientCa = "", machinePort = ""] = process.argv.slice(2);

const server = createServer(
  {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(clientCa),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
    ecdhCurve: "X25519MLKEM768:X25519",
    secureOptions: constants.SSL_OP_NO_TICKET,
    noDelay: true,
  },
  (laptop) => {
    const machine = connect({ host: "127.0.0.1", port: Number(machinePort), noDelay: true });
    const end = (): void => {
      laptop.destroy();
      machine.destroy();
    };
    for (const side of [laptop, machine]) side.on("error", end).on("close", end);
    laptop.pipe(machine);
    machine.pipe(laptop);
  },
);
server.listen({ host: "127.0.0.1", port: Number(port), backlog: 1_024 }, () =>
  process.stdout.write("ready\n"),
);
