import type { ExecutionContext } from "ava";
import type { Credential } from "../../support/pki.ts";
import { APPLIANCE } from "../../support/appliance.ts";
import { end, until } from "../../support/processes.ts";
import { ANSWER, REQUEST } from "../../support/s-client.ts";
import { testWith } from "../../support/tools.ts";
import { Cable, cableSite, HMI, PRESS } from "./cable.ts";

/** `openssl s_client` in the plant, at a machine's own address and port 802. */
class Laptop {
  out = "";
  #closed = false;
  readonly #send: (bytes: Uint8Array) => void;

  constructor(t: ExecutionContext, cable: Cable, address: string, who: Credential | null, ...more: string[]) {
    const trust = ["-CAfile", cable.bed.root.credential.cert];
    const identity = who === null ? [] : ["-cert", who.chain, "-key", who.key];
    const args = ["s_client", "-connect", `${address}:802`, "-ign_eof", ...trust, ...identity, ...more];
    const child = cable.spawn("plant", "openssl", ...args);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("latin1").on("data", (text: string) => (this.out += text));
    child.once("close", () => (this.#closed = true));
    child.stdin?.on("error", () => {});
    this.#send = (bytes) => child.stdin?.write(bytes);
    t.teardown(() => end(child, "SIGKILL"));
  }

  /** Whether a read of register 10 was answered, before the connection ended. */
  async reads(): Promise<boolean> {
    await until(() => this.out.includes("Verify return code") || this.#closed, "a handshake");
    this.#send(REQUEST);
    await until(() => this.out.includes(ANSWER) || this.#closed, "an answer");
    return this.out.includes(ANSWER);
  }

  async closed(): Promise<void> {
    await until(() => this.#closed, "the connection to end");
  }
}

testWith(
  "root",
  "pymodbus",
  "openssl",
)("a client with a certificate reads at the machine's own address, whatever name it asks for", async (t) => {
  const cable = await Cable.start(t, cableSite());
  await cable.machine(PRESS);
  const alice = cable.bed.root.client({ cn: "alice", ou: ["maintenance"] });
  for (const name of [
    "press.plant.example",
    `press-4.${APPLIANCE}`,
    `MODBUS.press-4.${APPLIANCE}`,
    APPLIANCE,
  ]) {
    const laptop = new Laptop(t, cable, PRESS, alice, "-servername", name);
    t.true(await laptop.reads(), name);
  }
  const nameless = new Laptop(
    t,
    cable,
    PRESS,
    alice,
    "-noservername",
    "-verify_ip",
    PRESS,
    "-verify_return_error",
  );
  t.true(await nameless.reads());
  const starts = await cable.bed.recorded(5, "user=alice", "kind=session.start");
  for (const start of starts) {
    t.like(start, {
      machine: "press-4",
      service: "modbus",
      detail: { asked: `${PRESS}:802`, tls: "TLSv1.3" },
    });
    t.false("kind" in (start.identity ?? {}));
  }
});

testWith(
  "root",
  "pymodbus",
  "openssl",
)("a name of another service than the address's is refused, and on record", async (t) => {
  const cable = await Cable.start(t, cableSite());
  const press = await cable.machine(PRESS);
  const alice = cable.bed.root.client({ cn: "alice", ou: ["maintenance"] });
  for (const name of [`hmi-1.${APPLIANCE}`, `modbus.press-5.${APPLIANCE}`]) {
    const laptop = new Laptop(t, cable, PRESS, alice, "-servername", name);
    t.false(await laptop.reads(), name);
  }
  const byProtocol = new Laptop(t, cable, PRESS, alice, "-alpn", "panel.hmi-1");
  t.false(await byProtocol.reads());
  const spoken = new Laptop(t, cable, PRESS, alice, "-alpn", "http/1.1");
  t.false(await spoken.reads());
  const refused = await cable.bed.recorded(4, "user=alice", "kind=session.refused");
  t.deepEqual(
    refused.map(({ reason }) => reason),
    [
      "the client asked for hmi-1 at 10.20.0.4 port 802, which is modbus.press-4",
      "the client asked for modbus.press-5 at 10.20.0.4 port 802, which is modbus.press-4",
      "the client asked for panel.hmi-1 at 10.20.0.4 port 802, which is modbus.press-4",
      "the client spoke http/1.1 to modbus.press-4, which speaks Modbus",
    ],
  );
  t.deepEqual(await press.heard(), []);
});

testWith("root", "openssl")(
  "no certificate opens nothing, and there is no directory at a machine's address",
  async (t) => {
    const cable = await Cable.start(t, cableSite());
    const nobody = new Laptop(t, cable, PRESS, null);
    await nobody.closed();
    const alice = cable.bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const curious = new Laptop(t, cable, PRESS, alice, "-alpn", "niac-directory");
    await curious.closed();
    t.regex(curious.out, /no application protocol/i);
    t.notRegex(curious.out, /"appliance"/);
    const [refused] = await cable.bed.recorded(1, "kind=session.refused", "stage=certificate");
    t.is(refused?.reason, "The client presented no certificate.");
  },
);

testWith("root", "openssl")(
  "a service that is no Modbus is relayed from the machine's own address, with HTTP's protocol if asked",
  async (t) => {
    const grant = `
  - name: maintenance-sees-panel
    reason: Repairs
    who: { groups: [maintenance] }
    what: { machines: [hmi-1], services: [panel] }`;
    const cable = await Cable.start(t, cableSite({ more: grant }));
    await cable.socat(`TCP4-LISTEN:502,bind=${HMI},reuseaddr,fork`, "EXEC:cat");
    const alice = cable.bed.root.client({ cn: "alice", ou: ["maintenance"] });
    // What it is sent, it sends back: the answer's bytes stand in the request of another.
    const laptop = new Laptop(t, cable, HMI, alice, "-alpn", "h2,http/1.1");
    await until(() => laptop.out.includes("ALPN protocol: http/1.1"), "HTTP to be agreed on");
    const [start] = await cable.bed.recorded(1, "user=alice", "kind=session.start");
    t.like(start, { machine: "hmi-1", service: "panel", detail: { asked: `${HMI}:802` } });
  },
);
