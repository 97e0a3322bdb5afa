/**
 * An appliance whose grant asks for an encrypted disk, a laptop of alice's, and what a laptop or a management system sends there:
 *
 *     const box = await PostureBox.start(t);
 *     await box.report(GOOD);
 *     const session = await box.connect();
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { request } from "node:https";
import { postureAnswerSchema, type PostureAnswer } from "../../src/est/posture-format.ts";
import { AuthorityBed, type Laptop } from "./authority-bed.ts";
import type { Appliance } from "./appliance.ts";
import { ModbusClient } from "./modbus-client.ts";
import { laptopReport } from "./posture.ts";
import { until, type Teardown } from "./processes.ts";
import { pressSite } from "./sites.ts";
import { TcpMachine } from "./tcp-machine.ts";
import { PymodbusMachine } from "./tools.ts";

export const GREETING = "RFB 003.008\n";
export const DEVICE = "laptop-of-alice";
/** Seconds that a report counts for. */
export const MAX_AGE = 600;

/** `signedBy` and the keys of management systems, as the site document has them. */
export interface PostureSiteParts {
  readonly signedBy?: "laptop" | "management" | "any";
  /** Name to PEM. */
  readonly signers?: Readonly<Record<string, string>>;
}

export function postureSite(
  port: number,
  screen: number,
  { signedBy = "any", signers = {} }: PostureSiteParts,
): string {
  const keys = Object.entries(signers).map(([name, pem]) => `    ${name}: { key: ${JSON.stringify(pem)} }`);
  return pressSite(port, {
    grant: "posture: in-order",
    services: `vnc: { protocol: tcp, address: "127.0.0.1:${screen}" }`,
    grants: `
  - name: maintenance-sees-the-screen
    reason: Maintenance looks at the press's own screen
    who: { groups: [maintenance] }
    what: { machines: [press-4], services: [vnc] }
    posture: in-order`,
    more: [
      `posture: { in-order: { maxAge: ${MAX_AGE / 60}m, signedBy: ${signedBy}, diskEncryption: true } }`,
      ...(keys.length === 0 ? [] : ["trust:", "  postureSigners:", ...keys]),
    ].join("\n"),
  });
}

export class PostureBox {
  /** The machine's screen: a service that a session has a connection of its own to. */
  readonly screen: TcpMachine;
  readonly appliance: Appliance;
  readonly laptop: Laptop;
  /** PEM of the plant's authorities. */
  readonly ca: string;

  /** Seconds by which the appliance's clock is ahead of this computer's, where the test has set it. */
  ahead = 0;
  /** Of the last report, seconds since the epoch. */
  #last = 0;

  private constructor(screen: TcpMachine, appliance: Appliance, laptop: Laptop, ca: string) {
    this.screen = screen;
    this.appliance = appliance;
    this.laptop = laptop;
    this.ca = ca;
  }

  static async start(
    t: Teardown,
    parts: PostureSiteParts = {},
    environment: Readonly<Record<string, string>> = {},
  ): Promise<PostureBox> {
    const machine = await PymodbusMachine.start(t);
    const screen = await TcpMachine.start(t, (socket) => void socket.write(GREETING));
    const site = postureSite(machine.port, screen.port, parts);
    const bed = await AuthorityBed.start(t, { site, environment });
    await bed.appliance.logged("laptops can enrol");
    return new PostureBox(screen, bed.appliance, await bed.laptop("alice"), await bed.trust());
  }

  /** `127.0.0.1:port`, where laptops enrol and report. */
  get address(): string {
    return this.appliance.environment["NIAC_LISTEN_ENROLL"] ?? "";
  }

  /** The laptop's own word, of `ago` seconds ago; of now: newer than the one before. */
  report(facts: unknown, ago = 0): Promise<{ status: number; text: string }> {
    const { chainPem, keyPem } = this.laptop;
    const now = Math.floor(Date.now() / 1_000) + this.ahead;
    const at = ago === 0 ? Math.max(this.#last + 1, now) : now - ago;
    this.#last = at;
    return this.post(
      laptopReport(createPrivateKey(keyPem), new X509Certificate(chainPem).raw, DEVICE, at, facts),
    );
  }

  post(body: string): Promise<{ status: number; text: string }> {
    const { chainPem, keyPem } = this.laptop;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `https://${this.address}/.well-known/niac/posture`,
        {
          method: "POST",
          ca: this.ca,
          cert: chainPem,
          key: keyPem,
          agent: false,
          headers: { "Content-Type": "application/jwt" },
        },
        (incoming) => {
          let text = "";
          incoming.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          incoming.once("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
        },
      );
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }

  /** A connection of the laptop's; whether it may do anything shows with what it asks. */
  connect(): Promise<ModbusClient> {
    return ModbusClient.connect(this.appliance, { credential: this.laptop, ca: this.ca });
  }

  /** A connection through which the machine was read. */
  async working(): Promise<ModbusClient> {
    const client = await this.connect();
    const { exception } = await client.read(10);
    if (exception !== 0) throw new Error(`reading was refused with exception ${exception}`);
    return client;
  }

  /** Looks at the machine's screen, and has seen its greeting. */
  async looking(): Promise<ModbusClient["socket"]> {
    const port = this.appliance.servicesPort;
    const options = { credential: this.laptop, ca: this.ca, service: "vnc.press-4", port };
    const { socket } = await ModbusClient.connect(this.appliance, options);
    let seen = "";
    socket.on("data", (bytes: Buffer) => (seen += bytes.toString("latin1")));
    await until(() => seen === GREETING, "the screen's greeting");
    return socket;
  }
}

export function answerOf({ text }: { text: string }): PostureAnswer {
  return postureAnswerSchema.parse(JSON.parse(text));
}
