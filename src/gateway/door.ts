import { UnavailableError } from "../base/index.ts";
import { isRefusal, peerOf, readIdentity, type Identity } from "../identity/index.ts";
import type { RevocationVerdict } from "../link/index.ts";
import { isPermit } from "../policy/index.ts";
import type { Snapshot } from "../site/index.ts";
import { directoryFor } from "./directory.ts";
import type { Arrival } from "./listener.ts";
import { unrecorded } from "./modbus-request.ts";
import { recordedIdentity } from "./recorded.ts";
import type { House, Reception } from "./reception.ts";
import { freshId } from "./session.ts";
import { findCaptured, findTarget, type Target } from "./target.ts";

/**
 * Lets in who has a certificate, or says on record why not. A connection whose handshake is done passes, in this order:
 * certificate, revocation, service, version of TLS; then the reception.
 */
export class Door {
  readonly #house: House;
  readonly #reception: Reception;

  constructor(house: House, reception: Reception) {
    this.#house = house;
    this.#reception = reception;
  }

  async admit(arrival: Arrival): Promise<void> {
    const { socket } = arrival;
    const trust = this.#house.trust();
    const now = this.#house.latest(this.#house.clock.now());
    const found = readIdentity(peerOf(socket), now, trust.identityOptions);
    if (isRefusal(found)) {
      this.#reception.refuse(
        arrival,
        { stage: "certificate", reason: found.reason },
        found.presented ? { presented: found.presented } : {},
      );
      return;
    }
    const id = freshId();
    this.#house.registry.expect(id, found);
    try {
      await this.#admitKnown(arrival, found, { id, issuer: trust.issuer(found) });
    } finally {
      this.#house.registry.arrived(id);
    }
  }

  async #admitKnown(
    arrival: Arrival,
    found: Identity,
    known: { readonly id: string; readonly issuer: string },
  ): Promise<void> {
    const { socket, source } = arrival;
    const asked = await this.#ask(found);
    if ("refusal" in asked && asked.refusal !== null) {
      const { code, reason } = asked.refusal;
      const about = { identity: recordedIdentity(found), detail: { code } };
      this.#reception.refuse(arrival, { stage: "certificate", reason }, about);
      return;
    }
    const unasked = "unasked" in asked ? asked.unasked : null;
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
      this.#answerDirectory(arrival, found, unasked);
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
      ...(unasked === null ? {} : { revocation: "not asked: control is away" }),
      ...("grace" in asked && asked.grace !== null ? { grace: asked.grace.slice(0, 1_000) } : {}),
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
      unasked,
      ...known,
    });
  }

  /** Where nobody can be asked, that decides nothing yet: a machine may be used unrecorded, and then unasked too. */
  async #ask(identity: Identity): Promise<RevocationVerdict | { readonly unasked: UnavailableError }> {
    try {
      return await this.#house.check(identity);
    } catch (error) {
      if (error instanceof UnavailableError) return { unasked: error };
      throw error;
    }
  }

  #answerDirectory(arrival: Arrival, identity: Identity, unasked: UnavailableError | null): void {
    const { socket, source } = arrival;
    const about = { identity: recordedIdentity(identity) };
    if (unasked !== null) {
      this.#reception.refuse(arrival, unrecorded(unasked), about);
      return;
    }
    const from = `${source.address}:${source.port}`;
    this.#house.refusals.looked(source.address, { ...about, source: from });
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
