import * as z from "zod";
import { PeerError, UnavailableError } from "../base/index.ts";
import { dial, type Appliance, type Dialled } from "./dial.ts";
import { closedUnanswered, explainFailure, NOT_NIAC } from "./failure.ts";

/** ALPN protocol under which the appliance answers with what a certificate may open. */
export const DIRECTORY_PROTOCOL = "niac-directory";
/** Bytes of the answer. */
export const MAX_DIRECTORY = 1024 * 1024;
/** Milliseconds for the answer, once the handshake is done. */
const PATIENCE = 10_000;

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

/** What a newer appliance says besides is passed over. */
const directorySchema = z.object({
  appliance: z.string().regex(/^[a-z0-9.-]{1,253}$/),
  user: z
    .string()
    .max(256)
    .regex(/^\P{C}*$/u),
  services: z
    .array(
      z.object({
        machine: name,
        service: name,
        protocol: z.string().regex(/^[a-z0-9-]{1,32}$/),
        port: z.int().min(1).max(65_535),
        description: z.string().max(1_000).default(""),
      }),
    )
    .max(10_000),
});

/** What this certificate may open now. */
export type Directory = z.infer<typeof directorySchema>;
export type OfferedService = Directory["services"][number];

/** Asks the appliance. Rejects with an error for the reader. */
export async function fetchDirectory(appliance: Appliance, signal: AbortSignal): Promise<Directory> {
  const dialled = await dial(appliance, appliance.appliance, DIRECTORY_PROTOCOL, signal);
  const text = await readAll(dialled);
  return parseDirectory(text, dialled.about().where);
}

/** Exported for its tests. */
export function parseDirectory(text: string, where: string): Directory {
  const parsed = directorySchema.safeParse(json(text));
  if (parsed.success) return parsed.data;
  throw new PeerError(
    "directory",
    `${where} answered with something that is no list of services: ${z.prettifyError(parsed.error)}`,
    "This niac and the appliance's do not fit together: compare `niac --version` on both.",
  );
}

function readAll({ socket, about }: Dialled): Promise<string> {
  const { where } = about();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const fail = (error: unknown): void => {
      reject(explainFailure(error, about()));
      socket.destroy();
    };
    const late = new UnavailableError(
      "slow",
      `${where} did not say within ${PATIENCE / 1000} s what you may use`,
    );
    const slow = setTimeout(() => fail(late), PATIENCE);
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_DIRECTORY) {
        fail(
          new PeerError(
            "directory-size",
            `${where} answered with more than ${MAX_DIRECTORY} bytes`,
            NOT_NIAC,
          ),
        );
      }
    });
    socket.on("error", (error) => {
      const cutOff = "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
      fail(cutOff ? closedUnanswered(about()) : error);
    });
    socket.on("close", () => {
      clearTimeout(slow);
      if (length === 0) reject(closedUnanswered(about()));
      else resolve(Buffer.concat(chunks).toString("utf8"));
    });
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
