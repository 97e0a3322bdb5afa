/** Machines that others wrote, identified: pymodbus and node-opcua. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { OPCUACertificateManager, OPCUAServer } from "node-opcua";
import { identify } from "../../../src/gateway/identify.ts";
import { freePort } from "../../support/ports.ts";
import { end } from "../../support/processes.ts";
import { accepting, testWith } from "../../support/tools.ts";

testWith("pymodbus")("pymodbus says what it is", async (t) => {
  const port = await freePort();
  const script = new URL("../../support/pymodbus_identified.py", import.meta.url).pathname;
  const child = spawn("/usr/bin/python3", [script, String(port)], { stdio: "ignore" });
  t.teardown(() => end(child, "SIGKILL"));
  await accepting(port);
  // The first answer of a program that has just started may come too late.
  await identify("127.0.0.1", { ports: [port], modbusPort: port });
  t.deepEqual(await identify("127.0.0.1", { ports: [port], modbusPort: port }), {
    modbus: {
      unit: 255,
      objects: {
        vendor: "Press Works",
        product: "PW-4",
        revision: "V2.11",
        vendorUrl: "http://press.example",
        productName: "Press",
        modelName: "Four",
        userApplicationName: "Line 2",
      },
      exception: null,
    },
    opcua: null,
    openPorts: [port],
    problems: [],
  });
});

test("node-opcua lists its endpoints, and saw no session", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "niac-opcua-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const port = await freePort();
  const server = new OPCUAServer({
    port,
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    serverInfo: { applicationUri: "urn:test:press", applicationName: { text: "Press four" } },
    serverCertificateManager: new OPCUACertificateManager({ rootFolder: join(dir, "server") }),
    userCertificateManager: new OPCUACertificateManager({ rootFolder: join(dir, "user") }),
  });
  await server.start();
  t.teardown(() => server.shutdown());
  await identify("127.0.0.1", { ports: [port], opcuaPort: port });
  const { opcua, openPorts, problems } = await identify("127.0.0.1", { ports: [port], opcuaPort: port });
  t.deepEqual(problems, []);
  t.deepEqual(openPorts, [port]);
  t.true(opcua !== null && opcua.length >= 3);
  for (const endpoint of opcua ?? []) {
    t.like(endpoint, {
      applicationUri: "urn:test:press",
      applicationName: "Press four",
      endpointUrl: `opc.tcp://127.0.0.1:${port}`,
    });
  }
  const kinds = new Set(opcua?.map(({ securityMode, policy }) => `${securityMode} ${policy}`));
  for (const kind of ["None None", "Sign Basic256Sha256", "SignAndEncrypt Aes256_Sha256_RsaPss"])
    t.true(kinds.has(kind), kind);
  t.is(server.currentSessionCount, 0);
  t.is(server.engine.cumulatedSessionCount, 0);
});
