import test from "ava";
import { parseSite } from "../../../src/site/index.ts";

const HEAD = "niac: 1\nsite: { name: P, appliance: box.example, timeZone: UTC }\n";

function addresses(count: number): string {
  return Array.from({ length: count }, (_, index) => `10.0.0.${index + 1}`).join(", ");
}

function messages(text: string): readonly string[] {
  return parseSite(HEAD + text, "site.yaml").findings.map(({ path, message }) => `${path}: ${message}`);
}

function servers(count: number): string {
  const list = addresses(count);
  return `network: { mode: inline, nameServers: [${list}], timeServers: [${list}] }\n`;
}

function named(count: number): string {
  const names = Array.from({ length: count }, (_, index) => `n${index}.example`).join(", ");
  return `destinations: [{ name: d, reason: r, machines: all, how: forward, host: 10.0.0.1, ports: [80], names: [${names}] }]\n`;
}

test("as many name and time servers as there may be, and not one more", (t) => {
  t.deepEqual(messages(servers(8)), []);
  t.deepEqual(messages(servers(9)), [
    "network.nameServers: more than 8 servers",
    "network.timeServers: more than 8 servers",
  ]);
});

test("as many names of a destination as there may be, and not one more", (t) => {
  t.deepEqual(messages(named(32)), []);
  t.deepEqual(messages(named(33)), ["destinations[0].names: more than 32 names"]);
});

test("two machines with one address are told without a network too, and a MAC address is not asked for", (t) => {
  t.deepEqual(messages("machines: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.1 } }\n"), [
    "machines.b.address: 10.0.0.1 is taken by a on line 3",
  ]);
});
