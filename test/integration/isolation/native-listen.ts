/**
 * A gateway behind TPROXY, run by native.test.ts in the box's namespace: `node native-listen.ts PORT` opens the transparent listener
 * as root and hands it, as the box does, to a process without privileges, which says what it accepted and answers.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { native } from "./native-bed.ts";

if (process.argv[2] === "--gateway") {
  const server = createServer((socket) => {
    const { localAddress, localPort, remoteAddress } = socket;
    console.log(JSON.stringify({ localAddress, localPort, remoteAddress, uid: process.getuid?.() }));
    socket.end("from the gateway");
    server.close();
  });
  server.listen({ fd: 3 }, () => console.log("ready"));
} else {
  const fd = native.listenTransparent("198.18.0.1", Number(process.argv[2]), 16);
  const gateway = spawn(process.execPath, [import.meta.filename, "--gateway"], {
    uid: 65_534,
    gid: 65_534,
    stdio: ["ignore", "inherit", "inherit", fd],
  });
  native.closeFd(fd);
  process.once("SIGTERM", () => gateway.kill());
  gateway.once("exit", (code) => (process.exitCode = code ?? 1));
}
