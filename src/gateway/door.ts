import { isRefusal, peerOf, readIdentity, type Identity } from "../identity/index.ts";
import { isPermit } from "../policy/index.ts";
import type { Snapshot } from "../site/index.ts";
import { directoryFor } from "./directory.ts";
import type { Arrival } from "./listener.ts";
import { recordedIdentity } from "./recorded.ts";
import type { House, Reception } from "./reception.ts";
import { findCaptured, findTarget, type Target } from "./target.ts";

/**
 * Lets in who has a certificate, or says on record why not. A connection whose handshake is done passes, in this order:
 * certificate, service, version of TLS; then the reception.
 */
export class Door {
  readonly #house: House;
  readonly #reception: Reception;

  constructor(house: House, reception: Reception) {
    this.#house = house;
    this.#reception = reception;
  }

  async admit(arrival: Arrival): Promise<void> {
    const { socket, source } = arrival;
    const found = readIdentity(peerOf(socket), this.#house.clock.now());
    if (isRefusal(found)) {
      this.#reception.refuse(
        arrival,
        { stage: "certificate", reason: found.reason },
        found.presented ? { presented: found.presented } : {},
      );
      return;
    }
    const serverName = serverNameOf(arrival);
    const target = targetOf(arrival, serverName, this.#house.snapshot());
    const who = { identity: recordedIdentity(found) };
    if (target.kind === "none") {
      this.#reception.refuse(arrival, { stage: "service", reason: target.reason }, who);
      return;
    }
    const version = socket.getProtocol();
    if (target.kind === "directory" && version !== "TLSv1.3") {
      const reason = `${version} is not accepted for the directory: only TLSv1.3`;
      this.#reception.refuse(arrival, { stage: "tls", reason }, who);
      return;
    }
    if (target.kind === "directory") {
      this.#answerDirectory(arrival, found);
      return;
    }
    const { machine, service } = target;
    if (version !== "TLSv1.3" && !service.unsafeTls12) {
      const reason = `${version} is not accepted for ${service.name} of ${machine.name}: only TLSv1.3`;
      const about = { ...who, machine: machine.name, service: service.name };
      this.#reception.refuse(arrival, { stage: "tls", reason }, about);
      return;
    }
    const detail = {
      tls: version ?? "",
      cipher: socket.getCipher().name,
      serverName: serverName ?? "",
      ...(arrival.entrance === "captured" ? { asked: `${socket.localAddress}:${socket.localPort}` } : {}),
    };
    await this.#reception.receive({
      socket,
      source,
      identity: found,
      machine,
      destination: null,
      service,
      detail,
    });
  }

  #answerDirectory({ socket, source }: Arrival, identity: Identity): void {
    const directory = directoryFor(this.#house.snapshot(), identity, (machine, service) =>
      isPermit(this.#reception.open({ identity, machine, destination: null, service, source })),
    );
    socket.end(`${JSON.stringify(directory)}\n`);
  }
}

/** Node sets it on server sockets to the SNI, or false; its types do not say so. */
function serverNameOf({ socket }: Arrival): string | undefined {
  return "servername" in socket && typeof socket.servername === "string" ? socket.servername : undefined;
}

function targetOf({ socket, entrance }: Arrival, serverName: string | undefined, snapshot: Snapshot): Target {
  const protocol = socket.alpnProtocol || null;
  if (entrance !== "captured") {
    return findTarget(snapshot, { serverName, protocol, modbusOnly: entrance === "modbus" });
  }
  // Of a captured connection, where it was going when the kernel handed it over.
  const { localAddress = "", localPort = 0 } = socket;
  return findCaptured(snapshot, { serverName, protocol, address: localAddress, port: localPort });
}
