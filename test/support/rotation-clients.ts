/** Clients that never rest: what a rotation must not disturb. */
import { X509Certificate } from "node:crypto";
import { AuthorityBed, type Laptop } from "./authority-bed.ts";
import { ModbusClient } from "./modbus-client.ts";

/** One connection, kept, on which a transaction follows the other; each reads the register that holds its own address. */
export class Steady {
  transactions = 0;
  readonly failures: string[] = [];
  readonly #client: ModbusClient;
  #stopped = false;
  readonly #loop: Promise<void>;

  private constructor(client: ModbusClient) {
    this.#client = client;
    this.#loop = this.#run();
  }

  static async start(bed: AuthorityBed, laptop: Laptop): Promise<Steady> {
    return new Steady(await connected(bed, laptop));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    this.#client.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopped && this.failures.length === 0) {
      const address = this.transactions % 50;
      try {
        const { exception, values } = await this.#client.read(address);
        if (exception !== 0 || values[0] !== address)
          this.failures.push(`register ${address} answered ${values.join()} exception ${exception}`);
        this.transactions += 1;
      } catch (error) {
        this.failures.push(`transaction ${this.transactions}: ${String(error)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** The certificate that a new connection is shown, after one transaction on it. */
export async function shown(bed: AuthorityBed, laptop: Laptop, ca?: string): Promise<X509Certificate> {
  const client = await connected(bed, laptop, ca);
  try {
    const { exception, values } = await client.read(7);
    if (exception !== 0 || values[0] !== 7) throw new Error(`exception ${exception}`);
    const certificate = client.socket.getPeerX509Certificate();
    if (!certificate) throw new Error("the appliance showed no certificate");
    return certificate;
  } finally {
    client.close();
  }
}

async function connected(bed: AuthorityBed, laptop: Laptop, ca?: string): Promise<ModbusClient> {
  const trusted = ca ?? (await bed.trust());
  return ModbusClient.connect(bed.appliance, { credential: laptop, ca: trusted });
}
