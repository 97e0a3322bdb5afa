#!/usr/bin/env bash
# Installs what the tests are made with, as root on Debian: for integration and end-to-end tests, and with the word image for images too.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
# The system's own: node_modules/.bin has other programs named nft and pki.
PATH=/usr/sbin:/usr/bin:/sbin:/bin

# In one go: each call of apt reads its lists anew.
tools=(openssl:openssl mbpoll:mbpoll stunnel4:stunnel4 tshark:tshark socat:socat ip:iproute2 curl:curl shellcheck:shellcheck
  # For the box in the cable.
  nft:nftables conntrack:conntrack dnsmasq:dnsmasq-base udhcpc:udhcpc tcpdump:tcpdump nmap:nmap hping3:hping3 arping:arping
  ping:iputils-ping dig:bind9-dnsutils chronyd:chrony faketime:faketime
  # For certificates: EST clients, a TPM and a PKCS#11 token in software, and a look at every listener.
  swtpm:swtpm swtpm_setup:swtpm-tools tpm2_createprimary:tpm2-tools testssl:testssl.sh softhsm2-util:softhsm2 pkcs11-tool:opensc)
[ -n "$(ls /usr/lib/*/libtss2-tcti-swtpm.so.0 2>/dev/null)" ] || tools+=(tcti:libtss2-tcti-swtpm0)
[ -n "$(ls /usr/lib/*/engines-3/pkcs11.so 2>/dev/null)" ] || tools+=(engine:libengine-pkcs11-openssl)
/usr/bin/python3 -c 'import scapy' 2>/dev/null || tools+=(scapy:python3-scapy)
/usr/bin/python3 -c 'import pymodbus.server' 2>/dev/null || tools+=("${pymodbus[@]}")
if [ "${1:-}" = image ]; then
  tools+=(qemu-system-aarch64:qemu-system-arm qemu-aarch64-static:qemu-user-static mcopy:mtools "${image_tools[@]}")
  [ -e /usr/aarch64-linux-gnu/include/stdio.h ] || tools+=(libc6-dev-arm64:libc6-dev-arm64-cross)
fi
install_tools "${tools[@]}"

# By itself: where Debian's security mirror is ahead of its main one, strongSwan cannot be installed, and all else can.
strongswan=(pki:strongswan-pki)
[ -e /usr/lib/ipsec/plugins/libstrongswan-openssl.so ] || strongswan+=(plugins:libstrongswan-standard-plugins)
install_tools "${strongswan[@]}"
