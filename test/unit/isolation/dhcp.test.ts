import test from "ava";
import { dhcpArguments } from "../../../src/isolation/dhcp.ts";
import { cases, planNamed } from "../../vectors/isolation/cases.ts";

const routed = planNamed("routed");

test("without DHCP in the document there is no dnsmasq", (t) => {
  for (const { name, plan } of cases) if (name !== "routed") t.is(dhcpArguments(plan), null, name);
  t.is(dhcpArguments({ ...routed, device: { address: "192.168.77.1", prefix: 24, dhcp: false } }), null);
});

test("without a machine there is nobody to give an address to", (t) => {
  t.is(dhcpArguments({ ...routed, stations: [] }), null);
});

test("reservations alone: the range is static, and each machine's address goes to its MAC address", (t) => {
  const args = dhcpArguments(routed) ?? [];
  t.deepEqual(
    args.filter((one) => one.startsWith("--dhcp-range")),
    ["--dhcp-range=192.168.77.1,static,12h"],
  );
  t.deepEqual(
    args.filter((one) => one.startsWith("--dhcp-host")),
    [
      "--dhcp-host=00:1b:1b:00:00:0a,192.168.77.10,cell-1,12h",
      "--dhcp-host=00:1b:1b:00:00:0b,192.168.77.11,cell-2,12h",
    ],
  );
});

test("on the device port and nowhere else, without DNS, without a file of the system's or of its own", (t) => {
  const args = dhcpArguments(routed) ?? [];
  const needed = [
    "--interface=device",
    "--except-interface=lo",
    "--bind-dynamic",
    "--port=0",
    "--conf-file=/dev/null",
    "--leasefile-ro",
  ];
  for (const one of needed) t.true(args.includes(one), one);
});

test("machines are told router and name server, and time servers where there are some", (t) => {
  const options = (plan: typeof routed): string[] =>
    (dhcpArguments(plan) ?? []).filter((one) => one.startsWith("--dhcp-option"));
  const own = ["--dhcp-option=option:router,192.168.77.1", "--dhcp-option=option:dns-server,192.168.77.1"];
  t.deepEqual(options(routed), [...own, "--dhcp-option=option:ntp-server,10.20.0.4,10.20.0.6"]);
  t.deepEqual(options({ ...routed, timeServers: [] }), own);
});
