import { HOSTS, Plant, says } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

const LOG = 514;
const [FIRST, LAST] = [5_000, 5_010];

/** Says each datagram's sender and length, and sends it back; on a line of input, sends one to the host and port there. */
const LISTENER = `
import socket, sys, threading
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', int(sys.argv[1])))
def back():
    while True:
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)
threading.Thread(target=back, daemon=True).start()
print('ready', flush=True)
for line in sys.stdin:
    host, port = line.split()
    s.sendto(b'unasked', (host, int(port)))
    print('sent', flush=True)`;

/** Sends a datagram of so many bytes and says how many came back. */
const SENDER = `
import socket, sys
host, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(30)
s.connect((host, port))
s.send(b'x' * size)
try:
    print(len(s.recv(65536)))
except OSError as error:
    print(error.strerror or 'nothing')`;

testWith(
  "root",
  "tcpdump",
  "tshark",
)(
  "a machine's datagrams go to the ports that are forwarded and are answered, and nobody sends it one unasked",
  async (t) => {
    const plant = await Plant.start(t, (p) =>
      plantSite(p, {
        more: `
destinations:
  - { name: log, reason: Messages of the panel, machines: [hmi], how: forward, host: ${HOSTS.historian}, transport: udp, ports: [${LOG}, ${FIRST}-${LAST}] }`,
      }),
    );
    const listeners = [LOG, FIRST, LAST, LAST + 1].map((port) =>
      plant.spawn("historian", "python3", ["-c", LISTENER, String(port)]),
    );
    for (const listener of listeners) await says(listener, "ready");
    const send = async (host: string, port: number, size = 100): Promise<string> =>
      (
        await plant.result(host, "python3", ["-c", SENDER, HOSTS.historian, String(port), String(size)])
      ).out.trim();
    const behind = await plant.capture("hmi", "eth0", "udp");

    for (const port of [LOG, FIRST, LAST]) t.is(await send("hmi", port), "100", `port ${port}`);
    t.is(await send("hmi", LOG, 4_000), "4000", "in more frames than one");
    t.not(await send("hmi", LAST + 1), "100", "a port beside them");
    t.not(await send("press", LOG), "100", "another machine");

    const [first] = listeners;
    first?.stdin?.write(`${HOSTS.hmi} 7\n`);
    if (first) await says(first, "sent");
    await behind.stop();
    t.deepEqual(behind.frames("udp.dstport == 7"), []);
    const flows = (await plant.box.niac("flows")).out;
    t.regex(flows, new RegExp(`^forwarded +hmi +${HOSTS.hmi}:\\d+ +log, ${HOSTS.historian}:${LOG} udp`, "m"));
    const [flow] = await plant.box.recorded(1, "kind=flow", "machine=hmi");
    t.like(flow, { rule: "log", decision: "permit" });
  },
);
