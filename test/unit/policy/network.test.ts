import { BlockList, isIPv6 } from "node:net";
import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { inNetwork, parseAddress, parseNetwork } from "../../../src/policy/network.ts";
import { Dice } from "./generator.ts";

function inside(address: string, network: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== null && inNetwork(parsed, parseNetwork(network));
}

test("addresses in networks", (t) => {
  for (const [address, network, expected] of [
    ["10.1.2.3", "10.1.0.0/16", true],
    ["10.2.0.0", "10.1.0.0/16", false],
    ["10.1.2.3", "10.1.2.3/32", true],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.4", "10.1.2.3/32", false],
    ["255.255.255.255", "0.0.0.0/0", true],
    ["::ffff:10.1.2.3", "10.1.0.0/16", true],
    ["::FFFF:0A01:0203", "10.1.0.0/16", true],
    ["10.1.2.3", "::ffff:10.1.0.0/112", true],
    ["10.2.2.3", "::ffff:10.1.0.0/112", false],
    ["10.1.2.3", "::/0", false],
    ["::1", "0.0.0.0/0", false],
    ["::1", "::1/128", true],
    ["fe80::1%eth0", "fe80::/10", true],
    ["::ffff:10.1.2.3%eth0", "10.0.0.0/8", true],
    ["fd00:12:0:0:0:0:0:1", "fd00:12::/32", true],
    ["fd00:13::1", "fd00:12::/32", false],
    ["64:ff9b::10.1.2.3", "10.0.0.0/8", false],
  ] as const) {
    t.is(inside(address, network), expected, `${address} in ${network}`);
  }
});

test("what is no address is none", (t) => {
  for (const text of [
    "",
    "10.1.2",
    "010.1.2.3",
    "10.1.2.3.4",
    "256.1.1.1",
    "::g",
    "1::2::3",
    "press-4",
    "10.1.2.3 ",
  ]) {
    t.is(parseAddress(text), null, text);
  }
});

test("what is no network is refused", (t) => {
  for (const text of [
    "",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "::/129",
    "fe80::%1/10",
    "::ffff:10.0.0.0/95",
  ]) {
    t.throws(() => parseNetwork(text), { instanceOf: UsageError, code: "network" }, text);
  }
});

test("Node's own block list agrees", (t) => {
  const dice = new Dice(7);
  const word = (): string => dice.below(4).toString(16);
  let hits = 0;
  for (let i = 0; i < 2000; i++) {
    const six = dice.once(2);
    const draw = (): string =>
      six
        ? dice.of([
            `fd00:${word()}::${word()}:${word()}`,
            `fd00::${word()}`,
            `::${word()}`,
            `fd00:${word()}::`,
          ])
        : `10.${dice.below(4)}.${dice.below(2)}.${dice.below(256)}`;
    const network = draw();
    const prefix = dice.below(isIPv6(network) ? 129 : 33);
    const list = new BlockList();
    list.addSubnet(network, prefix, six ? "ipv6" : "ipv4");
    const address = draw();
    const expected = list.check(address, six ? "ipv6" : "ipv4");
    if (expected) hits++;
    t.is(inside(address, `${network}/${prefix}`), expected, `${address} in ${network}/${prefix}`);
  }
  t.true(hits > 200 && hits < 1800);
});
