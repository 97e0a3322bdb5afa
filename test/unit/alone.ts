/** Unit test files that set what a whole process shares, and so run in one of their own, each with what it sets. */
export const ALONE: Readonly<Record<string, string>> = {
  "test/unit/base/renewal.test.ts": "setTimeout, for all that is imported",
  "test/unit/link/sockets.test.ts": "the process' umask",
  "test/unit/scripts/image-options.test.ts": "the process' exit code",
};
