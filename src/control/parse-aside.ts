import { Worker } from "node:worker_threads";
import { UsageError } from "../base/index.ts";
import { parseSnapshot, type SiteResult } from "../site/index.ts";

/** Milliseconds a document may take; ten thousand rules take some three seconds on a slow core. */
const PATIENCE = 60_000;

/**
 * parseSite in a thread of its own: a large document takes seconds, in which control must go on taking records, or every
 * write at every machine would wait for it.
 */
export function parseAside(text: string, fileName: string): Promise<SiteResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("parse-worker.ts", import.meta.url), {
      workerData: { text, fileName },
    });
    const late = setTimeout(() => {
      void worker.terminate();
      reject(
        new UsageError(
          "site-slow",
          `${fileName} could not be read within ${PATIENCE / 1000} s`,
          "Make the document smaller.",
        ),
      );
    }, PATIENCE);
    worker.once("message", ({ snapshot, findings }: SiteResult) => {
      clearTimeout(late);
      // What comes from a thread is a copy, and no longer frozen.
      resolve({ snapshot: snapshot && parseSnapshot(snapshot), findings });
    });
    worker.once("error", (error) => {
      clearTimeout(late);
      reject(error);
    });
  });
}
