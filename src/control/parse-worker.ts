/** The thread of `parseAside`: one document in, its result out. Imported anywhere else it does nothing. */
import { parentPort, workerData } from "node:worker_threads";
import * as z from "zod";
import { parseSite } from "../site/index.ts";

if (parentPort) {
  const { text, fileName } = z.strictObject({ text: z.string(), fileName: z.string() }).parse(workerData);
  parentPort.postMessage(parseSite(text, fileName));
}
