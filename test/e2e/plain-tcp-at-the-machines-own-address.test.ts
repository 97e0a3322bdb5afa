import { createHash, randomBytes } from "node:crypto";
import { HOSTS, Plant, says } from "../support/plant.ts";
import { stunnelOn } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

const PORT = 5900;
const BYTES = 8 * 1024 * 1024;

/** Sends back what it gets, and ends when the client has. */
const MIRROR = `
import socket, threading
s = socket.create_server(('0.0.0.0', ${PORT}))
print('ready', flush=True)
while True:
    c, _ = s.accept()
    while data := c.recv(65536):
        c.sendall(data)
    c.close()`;

/** Sends a file and says the SHA-256 of what came back. */
const THERE_AND_BACK = `
import hashlib, socket, sys, threading
data = open(sys.argv[2], 'rb').read()
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
threading.Thread(target=s.sendall, args=(data,)).start()
h, n = hashlib.sha256(), 0
while n < len(data):
    part = s.recv(65536)
    if not part: break
    h.update(part); n += len(part)
print(n, h.hexdigest())`;

testWith(
  "root",
  "stunnel4",
  "tcpdump",
  "tshark",
)(
  "a machine's screen is reached at the machine's own address and port with a certificate, byte for byte",
  async (t) => {
    const plant = await Plant.start(t, (p) =>
      plantSite(p, {
        services: `screen: { protocol: tcp, port: ${PORT} }`,
        more: `
  - name: maintenance-sees-screen
    reason: Maintenance works at the press' screen
    who: { groups: [maintenance] }
    what: { machines: [press], services: [screen] }`,
      }),
    );
    await says(plant.spawn("press", "python3", ["-c", MIRROR]), "ready");
    const behind = await plant.capture("press", "eth0", "tcp");
    const text = randomBytes(BYTES / 2).toString("hex");
    const file = plant.box.write("picture", text);
    const credential = plant.box.root.client({ cn: "alice", ou: ["maintenance"] });
    const port = await stunnelOn(plant, "laptop", { credential, to: `${HOSTS.press}:${PORT}` });

    const { out, err } = await plant.result("laptop", "python3", ["-c", THERE_AND_BACK, String(port), file]);
    t.is(out.trim(), `${BYTES} ${createHash("sha256").update(text).digest("hex")}`, err);
    await behind.stop();
    t.deepEqual(behind.frames(`ip.addr == ${HOSTS.laptop}`), []);
    const [session] = await plant.box.recorded(1, "kind=session.end", "user=alice");
    t.like(session, { machine: "press", service: "screen" });
    t.true((session?.counts?.["bytesIn"] ?? 0) >= BYTES, JSON.stringify(session?.counts));
  },
);
