/** niac, as tests start it: from its sources; where scripts/test runs all, the program it made of them, which starts in half the time. */
import { fileURLToPath } from "node:url";

export const PROGRAM =
  process.env["NIAC_TEST_PROGRAM"] ?? fileURLToPath(new URL("../../src/main.ts", import.meta.url));
