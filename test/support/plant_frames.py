"""Frames that no honest host sends, by scapy: each bears the word NIACXING, so that a capture shows where one of them came out.

usage: plant_frames.py KIND PORT-OF-THIS-HOST MAC-TO SOURCE TARGET TCP-PORTS

KIND is one of the functions below; TCP-PORTS a list with commas. Prints how many were sent.
"""
import os
import sys

from scapy.all import (
    ARP, BOOTP, DHCP, DNS, DNSQR, GRE, ICMP, IP, LLC, SNAP, STP, TCP, UDP, VXLAN, Dot1AD, Dot1Q, Dot3, Ether, ICMPv6EchoRequest,
    ICMPv6MLReport, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, IPOption,
    IPOption_LSRR, IPOption_NOP, IPOption_RR, IPOption_Router_Alert, IPOption_SSRR, IPv6, Raw, conf, fragment, get_if_hwaddr, raw,
)

MARK = b"NIACXING"
kind, iface, to, source, target, ports = sys.argv[1:7]
ports = [int(port) for port in ports.split(",")]
me = get_if_hwaddr(iface)
load = Raw(MARK * 6)
BOX = "10.20.0.100"
number = iter(range(1, 65536))


def eth(dst=to, **rest):
    return Ether(src=me, dst=dst, **rest)


def ip(dst=target, src=source, **rest):
    return IP(src=src, dst=dst, id=next(number), **rest)


def tcp(port, flags="S"):
    return TCP(sport=6666, dport=port, flags=flags, seq=1000) / load


def udp(port):
    return UDP(sport=6666, dport=port) / load


def pieces(packet, size):
    return fragment(packet, fragsize=size)


def piece(proto, data, offset, more, ident):
    """A fragment by hand; `offset` in bytes."""
    return eth() / IP(src=source, dst=target, id=ident, proto=proto, flags="MF" if more else 0, frag=offset // 8) / Raw(data)


def fragments():
    """Whole, but in the smallest pieces; forwards, backwards and twice."""
    for port in ports:
        for packet in (ip() / tcp(port), ip() / udp(port)):
            yield from (eth() / one for one in pieces(packet, 8))
        yield from (eth() / one for one in reversed(pieces(ip() / tcp(port), 16)))
        yield from (eth() / one for one in pieces(ip() / tcp(port), 24) * 2)


def torn():
    """Never whole: overlapping, without a beginning, without an end, beyond the end."""
    for port in ports:
        for proto, whole in ((6, raw(tcp(port))), (17, raw(udp(port)))):
            a, b, c, d = (next(number) for _ in range(4))
            # The second piece writes other ports over the first one's.
            yield piece(proto, whole[:24], 0, True, a)
            yield piece(proto, raw(tcp(ports[0]))[8:24] + MARK, 8, True, a)
            yield piece(proto, MARK * 4, 24, False, a)
            yield from (piece(proto, MARK * 2, at, at < 48, b) for at in range(16, 64, 16))
            yield piece(proto, whole[:24], 0, True, c)
            yield piece(proto, MARK * 100, 65528, False, d)
            yield piece(proto, whole[:24], 0, True, d)
    # The second piece lies within the first.
    yield piece(17, raw(udp(ports[0]))[:32], 0, True, 7)
    yield piece(17, MARK, 8, False, 7)


def flags():
    for port in ports:
        for some in ("", "F", "SF", "SR", "SFRPAUEC", "FPU", "A", "R", "RA", "U", "FA", "SA", "P"):
            yield eth() / ip() / tcp(port, some)
        yield eth() / ip() / TCP(sport=6666, dport=port, dataofs=3) / load
        yield eth() / ip() / TCP(sport=6666, dport=port, dataofs=15, flags="S") / load
        yield eth() / ip() / TCP(sport=6666, dport=port, chksum=1) / load
        yield eth() / ip() / TCP(sport=0, dport=port, flags="S") / load
    yield eth() / ip() / tcp(0)


def options():
    route = [BOX, target]
    for some in ([IPOption_LSRR(routers=route)], [IPOption_SSRR(routers=route)], [IPOption_RR(routers=["0.0.0.0"] * 3)],
                 [IPOption_Router_Alert()], [IPOption_NOP()] * 40, [IPOption(b"\x83\x00")], [IPOption(b"\x83\xff")], [IPOption(b"\x44\x04\x05\x00")],
                 [IPOption(b"\x82\x0b" + b"\x00" * 9)]):
        for port in ports:
            yield eth() / ip(options=some) / tcp(port)
        yield eth() / ip(options=some) / udp(ports[0])
        yield eth() / ip(options=some) / ICMP() / load
        # As a router that is asked to pass it on.
        yield eth() / ip(dst=BOX, options=some) / tcp(ports[0])


def spoofed():
    for src in ("10.20.0.12", "10.20.0.13", "10.20.0.1", BOX, "10.20.0.0", "10.20.0.255", "127.0.0.1", "0.0.0.0", "255.255.255.255",
                "224.0.0.5", "240.0.0.1", "169.254.1.1", "198.18.0.1", "198.18.1.1", "198.19.0.1", target):
        if src == source:
            continue
        for port in ports:
            yield eth() / ip(src=src) / tcp(port)
            yield eth() / ip(src=src) / tcp(port, "A")
        yield eth() / ip(src=src) / udp(ports[0])
        yield eth() / ip(src=src) / ICMP() / load
    for dst in ("127.0.0.1", "198.18.0.1", "198.18.1.1", "198.19.0.1", "10.20.0.0", "0.0.0.0", "240.0.0.1", "8.8.8.8"):
        yield eth() / ip(dst=dst) / tcp(ports[0])
        yield eth() / ip(dst=dst) / udp(15353)
        yield eth() / ip(dst=dst) / udp(9)
        yield eth() / ip(dst=dst) / ICMP() / load
    yield eth() / ip(ttl=1) / udp(9)
    yield eth() / ip(ttl=0) / udp(9)
    inner = IP(src=target, dst=source) / UDP(sport=9, dport=9)
    for type, code in ((3, 1), (3, 3), (3, 4), (5, 1), (11, 0), (12, 0), (4, 0), (13, 0), (17, 0), (9, 0), (10, 0), (0, 0), (40, 0)):
        yield eth() / ip() / ICMP(type=type, code=code) / inner / load


def tagged():
    for tags in (Dot1Q(vlan=0), Dot1Q(vlan=5), Dot1Q(vlan=4095), Dot1Q(vlan=5, prio=7), Dot1Q(vlan=0) / Dot1Q(vlan=0), Dot1Q(vlan=1) / Dot1Q(vlan=5),
                 Dot1AD(vlan=5) / Dot1Q(vlan=6), Dot1AD(vlan=0)):
        for port in ports:
            yield eth() / tags / ip() / tcp(port)
        yield eth() / tags / ip() / udp(ports[0])
        yield eth("ff:ff:ff:ff:ff:ff") / tags / ip(dst="255.255.255.255") / udp(9)
        yield eth("ff:ff:ff:ff:ff:ff") / tags / ARP(hwsrc=me, psrc=source, pdst=target) / load
        yield eth() / tags / IPv6(src="fe80::66", dst="fe80::12") / udp(9)


def tunnels():
    inner = IP(src=source, dst=target) / TCP(sport=6666, dport=ports[0], flags="S") / load
    for dst in (target, BOX):
        yield eth() / ip(dst=dst) / inner
        yield eth() / ip(dst=dst) / GRE() / inner
        yield eth() / ip(dst=dst) / GRE(proto=0x6558) / Ether(src=me, dst=to) / inner
        yield eth() / ip(dst=dst, proto=41) / IPv6(src="2001:db8::1", dst="2001:db8::2") / udp(9)
        yield eth() / ip(dst=dst) / UDP(sport=6666, dport=4789) / VXLAN(vni=1) / Ether(src=me, dst=to) / inner
        for proto in (0, 2, 46, 50, 51, 88, 89, 94, 97, 103, 112, 115, 132, 136, 137, 253, 255):
            yield eth() / ip(dst=dst, proto=proto) / load


def jumbo():
    """Takes a port with an MTU of 9,000."""
    big = Raw(MARK * 1100)
    for port in ports:
        yield eth() / ip() / TCP(sport=6666, dport=port, flags="S") / big
        yield eth() / ip() / TCP(sport=6666, dport=port, flags="PA") / big
        yield eth() / ip() / UDP(sport=6666, dport=port) / big
        yield eth() / ip(flags="DF") / UDP(sport=6666, dport=port) / big
    yield eth() / ip() / ICMP() / big
    yield eth("ff:ff:ff:ff:ff:ff", type=0x88CC) / big


def ipv6():
    all_nodes = "33:33:00:00:00:01"
    advert = ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix="2001:db8::", prefixlen=64) / ICMPv6NDOptSrcLLAddr(lladdr=me)
    for dst in (all_nodes, to):
        yield eth(dst) / IPv6(src="fe80::66", dst="ff02::1") / advert / load
        yield eth(dst) / IPv6(src="fe80::66", dst="ff02::1:ff00:12") / ICMPv6ND_NS(tgt="fe80::12") / load
        yield eth(dst) / IPv6(src="fe80::66", dst="ff02::1") / ICMPv6ND_NA(tgt="fe80::12") / load
        yield eth(dst) / IPv6(src="fe80::66", dst="ff02::16") / ICMPv6MLReport() / load
        yield eth(dst) / IPv6(src="fe80::66", dst="ff02::1") / ICMPv6EchoRequest(data=MARK)
        yield eth(dst) / IPv6(src="fe80::66", dst="ff02::fb") / udp(5353)
        yield eth(dst) / IPv6(src="fe80::66", dst="ff02::1:2") / UDP(sport=546, dport=547) / load
        yield eth(dst) / IPv6(src="2001:db8::66", dst="2001:db8::12") / tcp(ports[0])
        yield eth(dst) / IPv6(src="::ffff:10.20.0.66", dst="::ffff:10.20.0.12") / tcp(ports[0])
        yield eth(dst, type=0x86DD) / Raw(b"\x60" + MARK)


def link():
    for dst in ("01:80:c2:00:00:0e", to):
        yield eth(dst, type=0x88CC) / Raw(b"\x02\x07\x04" + raw(Ether(src=me))[6:12] + MARK * 4)
    for dst in ("01:80:c2:00:00:00", to):
        yield Dot3(src=me, dst=dst) / LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP() / load
    yield Dot3(src=me, dst="01:00:0c:cc:cc:cc") / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0x00000C, code=0x2000) / load
    for dst in ("01:0e:cf:00:00:00", to):
        yield eth(dst, type=0x8892) / Raw(b"\xfe\xfe\x05\x00" + MARK * 5)
        yield eth(dst, type=0x8892) / Raw(b"\xc0\x00" + MARK * 5)
    for ethertype in (0x888E, 0x88E3, 0x88B8, 0x88A4, 0x88F7, 0x9000, 0x8863, 0x8864, 0x8847, 0x0842, 0x6003, 0x1234, 0x0801):
        yield eth("ff:ff:ff:ff:ff:ff", type=ethertype) / load
        yield eth(type=ethertype) / load
    yield eth(type=0x0800) / Raw(MARK)
    yield eth() / IP(version=5, src=source, dst=target, proto=17) / udp(9)
    yield eth() / IP(ihl=4, src=source, dst=target, proto=17) / udp(9)
    yield eth() / IP(chksum=1, src=source, dst=target) / udp(9)
    yield eth() / IP(len=9000, src=source, dst=target) / udp(9)
    yield eth() / IP(len=10, src=source, dst=target) / udp(9)


def groups():
    """Multicast and broadcast, and unicast in a frame for all."""
    everyone = "ff:ff:ff:ff:ff:ff"
    for dst, group in (("224.0.0.251", "01:00:5e:00:00:fb"), ("239.255.255.250", "01:00:5e:7f:ff:fa"), ("224.0.0.22", "01:00:5e:00:00:16"),
                       ("10.20.0.255", everyone), ("255.255.255.255", everyone), (target, everyone), (target, "01:00:5e:01:02:03"),
                       ("224.0.0.251", to), ("10.20.0.255", to), ("255.255.255.255", to)):
        yield eth(group) / ip(dst=dst) / udp(5353)
        yield eth(group) / ip(dst=dst) / tcp(ports[0])
        yield eth(group) / ip(dst=dst, proto=2) / Raw(b"\x16\x00\x00\x00" + MARK)
        yield eth(group) / ip(dst=dst) / ICMP() / load
    yield eth(everyone) / ip(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(chaddr=me) / DHCP(options=[("message-type", "discover"), "end"]) / load
    yield eth() / ip() / UDP(sport=67, dport=68) / BOOTP(op=2) / DHCP(options=[("message-type", "offer"), "end"]) / load
    yield eth() / ip(dst="8.8.8.8") / UDP(sport=6666, dport=5300) / DNS(qd=DNSQR(qname="niacxing.example")) / load


def claims():
    """That TARGET is here: announcements, replies to all and to the box alone, and requests that say so by the way."""
    for dst in ("ff:ff:ff:ff:ff:ff", to):
        for op in (1, 2):
            yield eth(dst) / ARP(op=op, hwsrc=me, psrc=target, pdst=target, hwdst="ff:ff:ff:ff:ff:ff" if op == 2 else "00:00:00:00:00:00") / load
            yield eth(dst) / ARP(op=op, hwsrc=me, psrc=target, pdst=BOX, hwdst=to) / load
        # The frame's sender and the claim's are not the same.
        yield eth(dst) / ARP(op=2, hwsrc="02:00:00:00:66:66", psrc=target, pdst=BOX, hwdst=to) / load
    yield eth() / ARP(op=1, hwsrc=me, psrc="0.0.0.0", pdst=target) / load


def main():
    frames = list(globals()[kind]())
    socket = conf.L2socket(iface=iface)
    for frame in frames:
        # As it stands: scapy would put a whole header where a wrong one is asked for.
        socket.send(frame)
        os.sched_yield()
    print(len(frames))


main()
