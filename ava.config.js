// Unit tests run in few processes, whose entry files scripts/test writes below build/test; all others have a process for each file.
export default {
  files: ["test/**/*.test.ts", "build/test/groups/*.test.ts"],
  extensions: ["ts"],
  require: [
    "./test/support/require-node.ts",
    "./test/support/runner/hooks.ts",
    "./test/support/fixed-seed.ts",
  ],
  // Of silence. Nothing is that slow; only a test that hangs is.
  timeout: "300s",
  // In a thread, serialport's addon crashes and a process' umask cannot be set.
  workerThreads: false,
};
