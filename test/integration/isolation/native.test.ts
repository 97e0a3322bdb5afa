import { execFile, execFileSync, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { loadNative } from "../../../src/native/index.ts";
import { end, until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";

const run = promisify(execFile);
const loaded = loadNative();

/** A test that needs root and the addon, or its skip with the reason in the title. */
function testNative(title: string, implementation: (t: ExecutionContext) => Promise<void>): void {
  if ("native" in loaded) testWith("root", "ip", "/usr/sbin/nft", "ping")(title, implementation);
  else test.skip(`${title} (${loaded.problem})`, implementation);
}

/** With its path: ava brings a program of the same name, which comes first on PATH. */
const NFT = "/usr/sbin/nft";

const CAPTURED = `table ip niac {
  chain captured {
    type filter hook prerouting priority mangle;
    ip daddr 203.0.113.4 tcp dport 502 tproxy to 198.18.0.1:15020 meta mark set 1 accept
  }
}`;

let namespaces = 0;

/** A network namespace until the test ends; its name. */
function namespace(t: ExecutionContext): string {
  const name = `niac-t-${process.pid}-${++namespaces}`;
  execFileSync("ip", ["netns", "add", name]);
  t.teardown(() => void execFileSync("ip", ["netns", "del", name]));
  return name;
}

/** Lines for ip, in a namespace. */
function batch(where: string, ...lines: string[]): void {
  execFileSync("ip", ["-n", where, "-batch", "-"], { input: lines.join("\n") });
}

function program(name: string): string {
  return new URL(`${name}.ts`, import.meta.url).pathname;
}

/** What a scenario of one of the programs beside this file came to, in a namespace of its own. */
async function outcome(t: ExecutionContext, of: string, scenario: string): Promise<unknown> {
  const { stdout } = await run("ip", [
    "netns",
    "exec",
    namespace(t),
    process.execPath,
    program(of),
    scenario,
  ]);
  return JSON.parse(stdout);
}

testNative("TUN: pings of the kernel are read, and the answers written reach it", async (t) => {
  t.deepEqual(await outcome(t, "native-packets", "ping"), {
    code: 0,
    sequence: [1, 2, 3],
    length: 1_028,
    twice: "EBUSY",
    after: "ENODEV",
  });
});

testNative(
  "packet socket: what the filter lets through arrives as it was sent, tags included, and own frames never",
  async (t) => {
    t.deepEqual(await outcome(t, "native-packets", "frames"), {
      missing: [],
      others: [],
      count: 6,
      errors: [],
    });
  },
);

testNative("packet socket: frames that find no room are counted, once", async (t) => {
  t.deepEqual(await outcome(t, "native-packets", "drops"), { dropped: true, again: 0, added: true });
});

testNative("watch: a flood takes no more than perTurn of a turn, and the loop goes round", async (t) => {
  t.deepEqual(await outcome(t, "native-packets", "flood"), { largest: 16, starved: 0 });
});

testNative(
  "watch: nothing comes while it is paused or after it is closed, and twice is no harm",
  async (t) => {
    t.deepEqual(await outcome(t, "native-packets", "ends"), {
      paused: 0,
      calls: 1,
      second: "EEXIST",
      stranger: "ERR_INVALID_ARG_VALUE",
      left: 0,
    });
  },
);

testNative("watch: a port that goes down says so once, and is heard again after it comes back", async (t) => {
  t.deepEqual(await outcome(t, "native-faults", "down"), { errors: ["ENETDOWN"], write: "ENETDOWN" });
});

testNative("watch: an interface that is deleted says so once, and does not keep the loop busy", async (t) => {
  t.deepEqual(await outcome(t, "native-faults", "deleted"), {
    tun: ["ENODEV"],
    packet: ["ENETDOWN"],
    write: "ENODEV",
  });
});

testNative("watch: what a callback throws is an uncaught exception", async (t) => {
  t.deepEqual(await outcome(t, "native-faults", "throws"), ["thrown on purpose"]);
});

testNative("what the kernel refuses has the kernel's code", async (t) => {
  t.deepEqual(await outcome(t, "native-faults", "refused"), {
    noInterface: "ENODEV",
    notATun: "EINVAL",
    jumpsOut: "EINVAL",
    portTaken: "EADDRINUSE",
    tooLong: "EMSGSIZE",
  });
});

testNative("a user without privileges is refused all of it", async (t) => {
  const codes = await outcome(t, "native-faults", "unprivileged");
  // EACCES where the device file itself is root's alone.
  t.regex(JSON.stringify(codes), /^\{"packet":"EPERM","listen":"EPERM","tun":"(EPERM|EACCES)"\}$/);
});

testNative("descriptors are as many after thousands of opens, closes and failures as before", async (t) => {
  t.deepEqual(await outcome(t, "native-faults", "leaks"), {
    more: 0,
    failures: ["EINVAL", "ENODEV", "ERR_INVALID_ARG_VALUE"],
  });
});

testNative("a worker that is ended while it watches leaves nothing open", async (t) => {
  t.deepEqual(await outcome(t, "native-faults", "workers"), { ends: [], more: 0 });
});

testNative("a process that watches stays alive, and ends cleanly when told to", async (t) => {
  t.is(await outcome(t, "native-faults", "exit"), 1);
});

testNative(
  "transparent listener: behind TPROXY, in a process without privileges, the local address is the machine's",
  async (t) => {
    const [box, laptop] = [namespace(t), namespace(t)];
    batch(
      box,
      `link add uplink type veth peer name eth0 netns ${laptop}`,
      "link set lo up",
      "address add 198.18.0.1/32 dev lo",
      "address add 192.0.2.1/24 dev uplink",
      "link set uplink up",
      "rule add fwmark 1 lookup 100",
      "route add local 0.0.0.0/0 dev lo table 100",
    );
    batch(laptop, "address add 192.0.2.2/24 dev eth0", "link set eth0 up", "route add default via 192.0.2.1");
    execFileSync("ip", ["netns", "exec", box, NFT, "-f", "-"], { input: CAPTURED });
    const listener = spawn(
      "ip",
      ["netns", "exec", box, process.execPath, program("native-listen"), "15020"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    t.teardown(() => end(listener));
    const lines: string[] = [];
    listener.stdout.setEncoding("utf8").on("data", (some: string) => lines.push(...some.trim().split("\n")));
    await until(() => lines.includes("ready"), "the listener");
    const client = `require("node:net").connect(502, "203.0.113.4").pipe(process.stdout)`;
    const connection = spawn("ip", ["netns", "exec", laptop, process.execPath, "-e", client]);
    t.teardown(() => end(connection));
    t.is(await text(connection.stdout), "from the gateway");
    await until(() => lines.length === 2, "what the gateway accepted");
    t.deepEqual(JSON.parse(lines[1] ?? ""), {
      localAddress: "203.0.113.4",
      localPort: 502,
      remoteAddress: "192.0.2.2",
      uid: 65_534,
    });
  },
);
