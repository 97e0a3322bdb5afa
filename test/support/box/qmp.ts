/** QEMU's machine protocol, as far as the bed asks: commands and events, a JSON object a line. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { z } from "zod";

const line = z.looseObject({
  return: z.unknown().optional(),
  error: z.object({ desc: z.string() }).loose().optional(),
  event: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  QMP: z.unknown().optional(),
});

export class Qmp {
  readonly #socket: Socket;
  readonly #waiting: Array<{ resolve: (value: unknown) => void; reject: (error: Error) => void }> = [];
  readonly #heard: (event: string, data: Readonly<Record<string, unknown>>) => void;

  private constructor(
    socket: Socket,
    heard: (event: string, data: Readonly<Record<string, unknown>>) => void,
  ) {
    this.#socket = socket;
    this.#heard = heard;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("QEMU has ended"));
    });
    createInterface({ input: socket }).on("line", (text) => this.#take(text));
  }

  /** At QEMU's socket, which must be there. */
  static async connect(
    path: string,
    heard: (event: string, data: Readonly<Record<string, unknown>>) => void,
  ): Promise<Qmp> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const qmp = new Qmp(socket, heard);
    await qmp.ask("qmp_capabilities");
    return qmp;
  }

  /** Its answer; rejects with QEMU's own words. */
  ask(command: string, options: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject: (error) => reject(new Error(`${command}: ${error.message}`)) });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: options })}\n`);
    });
  }

  #take(text: string): void {
    const said = line.parse(JSON.parse(text));
    if (said.QMP !== undefined) return;
    if (said.event !== undefined) return this.#heard(said.event, said.data ?? {});
    const first = this.#waiting.shift();
    if (said.error) first?.reject(new Error(said.error.desc));
    else first?.resolve(said.return);
  }
}
