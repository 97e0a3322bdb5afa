// Unit tests run on many workers; integration and end-to-end tests start processes and are chosen by path in scripts/test.
export default {
  files: ["test/**/*.test.ts"],
  extensions: ["ts"],
  require: ["./test/support/require-node.ts", "./test/support/fixed-seed.ts"],
  timeout: "120s",
  // A process for each file, as on the appliance: in a thread, serialport's addon crashes and a process' umask cannot be set.
  workerThreads: false,
};
