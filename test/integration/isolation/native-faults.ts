/** What goes wrong and what ends, run by native.test.ts. */
import { createServer } from "node:net";
import { Worker } from "node:worker_threads";
import { until } from "../../support/processes.ts";
import {
  ALL,
  cable,
  codeOf,
  frame,
  ip,
  listen,
  native,
  ONLY_OURS,
  openFds,
  OURS,
  run,
  thrownBy,
  turns,
} from "./native-bed.ts";

/** A filter that the kernel refuses: its only step jumps out of it. */
const JUMPS_OUT = Buffer.from("1500000000000000", "hex");

await run({
  /** A port that goes down says so once, and is heard again when it is up and the watch goes on. */
  async down() {
    const { out } = cable();
    const fd = native.openPacket("niac-a", ONLY_OURS);
    const { watch, heard, errors } = listen(fd);
    ip("link", "set", "niac-a", "down");
    await until(() => errors.length > 0, "the error of a port that is down");
    await turns(20);
    const write = thrownBy(() => native.write(fd, frame(OURS, "to a port that is down")));
    ip("link", "set", "niac-a", "up");
    watch.resume();
    // A port that was down takes a moment to carry again.
    await until(() => {
      native.write(out, frame(OURS, "up again"));
      return heard.length > 0;
    }, "a frame after the port came back");
    watch.close();
    return { errors, write };
  },

  /** Interfaces that are deleted under their descriptors: one error each, and the loop does not spin on it. */
  async deleted() {
    cable();
    const tun = native.openTun("niac0");
    ip("link", "set", "niac0", "up");
    const ofTun = listen(tun);
    const ofPacket = listen(native.openPacket("niac-a", ALL));
    ip("link", "del", "niac0");
    ip("link", "del", "niac-a");
    await until(
      () => ofTun.errors.length > 0 && ofPacket.errors.length > 0,
      "the errors of what was deleted",
    );
    await turns(20);
    const write = thrownBy(() => native.write(tun, Buffer.alloc(20, 0x45)));
    ofTun.watch.close();
    ofPacket.watch.close();
    return { tun: ofTun.errors, packet: ofPacket.errors, write };
  },

  /** What a callback throws is the process' uncaught exception, like any callback's. */
  async throws() {
    const { out } = cable();
    const uncaught: string[] = [];
    process.on("uncaughtException", (error) => uncaught.push(error.message));
    const watch = native.watch(
      native.openPacket("niac-a", ONLY_OURS),
      1,
      () => {
        watch.close();
        throw new Error("thrown on purpose");
      },
      () => {},
    );
    native.write(out, frame(OURS, "one"));
    await until(() => uncaught.length > 0, "the uncaught exception");
    return uncaught;
  },

  /** Names and ports that are not to be had. */
  async refused() {
    cable();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(802, "127.0.0.1", resolve));
    const codes = {
      noInterface: thrownBy(() => native.openPacket("niac-none", ALL)),
      notATun: thrownBy(() => native.openTun("niac-a")),
      jumpsOut: thrownBy(() => native.openPacket("niac-a", JUMPS_OUT)),
      portTaken: thrownBy(() => native.listenTransparent("127.0.0.1", 802, 1)),
      tooLong: thrownBy(() => native.write(native.openPacket("niac-a", ALL), frame(OURS, "", [], 2_000))),
    };
    server.close();
    return codes;
  },

  /** Without privileges. The bed itself needs them, so they are given up here. */
  async unprivileged() {
    ip("link", "set", "lo", "up");
    process.setgroups?.([]);
    process.setgid?.(65_534);
    process.setuid?.(65_534);
    return {
      packet: thrownBy(() => native.openPacket("lo", ALL)),
      listen: thrownBy(() => native.listenTransparent("127.0.0.1", 8_020, 1)),
      tun: thrownBy(() => native.openTun("niac0")),
    };
  },

  /** Opened and closed, or failed half-way, over and over: no descriptor more than before. */
  async leaks() {
    ip("link", "set", "lo", "up");
    const before = openFds();
    const failures = new Set<string>();
    for (let i = 0; i < 2_000; i++) {
      native.closeFd(native.listenTransparent("127.0.0.1", 8_020, 1));
      failures.add(thrownBy(() => native.listenTransparent("203.0.113.1", 0, 65_536)));
      failures.add(thrownBy(() => native.openPacket("niac-none", ALL)));
      failures.add(thrownBy(() => native.openTun("lo")));
    }
    // Fewer: the kernel takes 12 ms to let go of a packet socket, and more for a TUN device.
    for (let i = 0; i < 100; i++) {
      native.closeFd(native.openPacket("lo", ONLY_OURS));
      failures.add(thrownBy(() => native.openPacket("lo", JUMPS_OUT)));
      listen(native.openPacket("lo", ALL)).watch.close();
      await turns(1);
    }
    for (let i = 0; i < 20; i++) listen(native.openTun("niac0")).watch.close();
    await turns(2);
    return { more: openFds() - before, failures: [...failures].toSorted() };
  },

  /** A worker that ends, or is ended, while it watches: nothing of it stays open, and the process lives on. */
  async workers() {
    cable();
    const before = openFds();
    const code = `
      const { workerData, parentPort } = require("node:worker_threads");
      import(workerData).then(({ loadNative }) => {
        const { native } = loadNative();
        native.watch(native.openPacket("niac-a", Buffer.alloc(0)), 1, () => {}, () => {});
        parentPort.postMessage("watching");
      });`;
    const workerData = new URL("../../../src/native/index.ts", import.meta.url).href;
    const ends: string[] = [];
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(code, { eval: true, workerData });
      worker.on("error", (error) => ends.push(codeOf(error)));
      await new Promise((resolve) => worker.once("message", resolve));
      await worker.terminate();
    }
    return { ends, more: openFds() - before };
  },

  /** A process that has said what it had to goes, though it still watches, when it is told to. */
  async exit() {
    const { out } = cable();
    const { heard } = listen(native.openPacket("niac-a", ONLY_OURS));
    native.write(out, frame(OURS, "one"));
    await until(() => heard.length > 0, "a frame");
    process.once("beforeExit", () => heard.push("a watch did not keep the process alive"));
    setImmediate(() => process.exit(heard.length === 1 ? 0 : 1));
    return heard.length;
  },
});
