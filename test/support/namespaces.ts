/**
 * Network namespaces and switches between them, of a name of their own: what tests and the bench make their plants of. Takes root and
 * the tools of iproute2; removed by remove(), whatever state it is in.
 */
import { execFileSync } from "node:child_process";

/** Not the caller's own PATH, on which node_modules has another program named nft. */
export const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

let made = 0;

export class Namespaces {
  readonly #prefix: string;
  readonly #names = new Set<string>();

  /** Names begin with a letter for what it is, this process' id and a number. */
  constructor(kind: string) {
    made++;
    this.#prefix = `${kind}${process.pid}${String.fromCharCode(96 + made)}`;
  }

  /** The kernel's name of a host's namespace. */
  name(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  addHost(host: string): void {
    if (this.#names.has(host)) return;
    this.#names.add(host);
    system("netns", "add", this.name(host));
    this.ip(host, "link", "set", "lo", "up");
  }

  addSwitch(name: string): void {
    this.addHost(name);
    // A switch has nothing to say of its own.
    this.run(
      name,
      "sysctl",
      "-qw",
      "net.ipv6.conf.all.disable_ipv6=1",
      "net.ipv6.conf.default.disable_ipv6=1",
    );
    this.ip(name, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0");
    this.ip(name, "link", "set", "br0", "up");
  }

  /** Plugs a host's port into a switch; makes the host where it is new. `address`: with prefix. */
  plug(host: string, port: string, into: string, address?: string): void {
    this.addHost(host);
    const inner = `i${process.pid % 100_000}${made}`;
    const outer = outerOf(host, port);
    this.ip(into, "link", "add", outer, "type", "veth", "peer", "name", inner);
    this.ip(into, "link", "set", inner, "netns", this.name(host));
    this.ip(host, "link", "set", inner, "name", port);
    this.ip(into, "link", "set", outer, "master", "br0", "up");
    if (address !== undefined) this.ip(host, "addr", "add", address, "dev", port);
    this.ip(host, "link", "set", port, "up");
  }

  /** Takes a port's link to its switch away, or gives it back, as a cable does. */
  cable(host: string, port: string, into: string, state: "in" | "out"): void {
    this.ip(into, "link", "set", outerOf(host, port), state === "in" ? "up" : "down");
  }

  /** Lower case, with colons. */
  mac(host: string, port: string): string {
    const line = this.run(host, "ip", "-o", "link", "show", port);
    return /link\/ether ([0-9a-f:]+)/.exec(line)?.[1] ?? "";
  }

  ip(host: string, ...args: string[]): void {
    system("-n", this.name(host), ...args);
  }

  /** Runs a command on a host and gives its output; throws where it fails, or takes two minutes. */
  run(host: string, command: string, ...args: string[]): string {
    return execFileSync("ip", this.inside(host, command, ...args).slice(1), {
      encoding: "utf8",
      env: { PATH: SYSTEM_PATH, LC_ALL: "C" },
      timeout: 120_000,
      maxBuffer: 2 ** 28,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** The words that run a command on a host. */
  inside(host: string, ...command: string[]): string[] {
    return ["ip", "netns", "exec", this.name(host), ...command];
  }

  /** Processes in them are to be ended before: they would keep what has no name any more. */
  remove(): void {
    const there = new Set(system("netns", "list").split(/[ \n]/));
    for (const host of this.#names) if (there.has(this.name(host))) system("netns", "del", this.name(host));
    this.#names.clear();
  }
}

/** A port's other end, at its switch. */
function outerOf(host: string, port: string): string {
  return `${host.slice(0, 6)}${port.slice(0, 6)}`;
}

function system(...args: string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", env: { PATH: SYSTEM_PATH } });
}
