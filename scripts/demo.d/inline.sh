# Sourced by scripts/demo: the appliance in the cable before the press, in a plant of network namespaces. As root.
plant=niac-demo
. scripts/demo.d/inline-plant.sh
. scripts/demo.d/inline-check.sh

[ "$(id -u)" = 0 ] || fail "--inline makes network namespaces and needs root: sudo scripts/demo --inline. Without root there is scripts/demo."

# The system's own tools: node_modules/.bin has another program named nft.
system_path=/usr/sbin:/usr/bin:/sbin:/bin
tools=(ip:iproute2 nft:nftables conntrack:conntrack nmap:nmap mbpoll:mbpoll stunnel4:stunnel4 tcpdump:tcpdump
  arping:arping curl:curl openssl:openssl flock:util-linux)
PATH=$system_path install_tools "${tools[@]}"
missing=
for tool in "${tools[@]}"; do
  PATH=$system_path command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool%%:*}"
done
[ -z "$missing" ] || fail "missing:$missing. Install them and run this again."
setup_node
[ -e build/niac-net.node ] || fail "the network addon could not be built: the appliance cannot stand in a cable without it"

days_ahead() { date -u -d "+$1 days" +%F; }

cable_site() {
  sed "s/until: [0-9-]*/until: $(days_ahead 90)/" scripts/demo.d/site-inline.yaml >"$dir/site.yaml"
  apply_site
  await "$dir/appliance.log" '"site":1,"mode":"inline"'
}

# await FILE "text"
await() {
  for ((tries = 0; tries < 100; tries++)); do
    if grep -qF "$2" "$1"; then return 0; fi
    sleep 0.1
  done
  tail -n 5 "$1" >&2
  return 1
}

appliance() {
  # The gateway parses what strangers send, so it gets a user that may do nothing, where that user can get at the code.
  chmod 711 "$dir"
  chmod 700 "$dir/pki" "$dir/state"
  if setpriv --reuid=nobody --regid=nogroup --clear-groups test -r src/main.ts -a -x "$dir"; then
    export NIAC_GATEWAY_USER=nobody
  fi
  export NIAC_UPLINK=uplink NIAC_DEVICE_PORT=device NIAC_UPLINK_ADDRESS=$box_address/24 NIAC_UPLINK_GATEWAY=$router_address
  export NIAC_LISTEN_MODBUS=0.0.0.0:802 NIAC_LISTEN_SERVICES=0.0.0.0:8443
  start appliance "gateway is ready" ip netns exec $plant-box node src/main.ts up
}

machine() { # NAME ADDRESS
  start "$1" "press is ready" ip netns exec "$plant-$1" node scripts/demo.d/press.ts "$2:502"
}

laptop() {
  cat >"$dir/stunnel.conf" <<TEXT
foreground = yes
debug = info
pid =
syslog = no
[press-4]
client = yes
accept = 127.0.0.1:502
connect = 10.20.0.12:802
cert = $dir/pki/alice.crt
key = $dir/pki/alice.key
CAfile = $dir/pki/ca.crt
verifyChain = yes
checkIP = 10.20.0.12
sslVersionMin = TLSv1.3
TEXT
  start stunnel "bound to 127.0.0.1:502" ip netns exec $plant-laptop stunnel4 "$dir/stunnel.conf"
}

niac_command() {
  printf '#!/bin/sh\nexport NIAC_RUN_DIR=%q\nexec %q %q "$@"\n' \
    "$dir/run" "$root/node_modules/.bin/node" "$root/src/main.ts" >"$dir/niac"
  chmod +x "$dir/niac"
}

poll_options="-q -0 -t 3 -r 0 -c 4"
reads="./laptop mbpoll $poll_options -1 127.0.0.1"
writes="./laptop mbpoll -q -0 -r 10 127.0.0.1 1600"
refused="./laptop mbpoll -q -0 -r 100 127.0.0.1 2500"
scada_reads="./scada mbpoll $poll_options -1 10.20.0.12"
scada_writes="./scada mbpoll -q -0 -r 10 10.20.0.12 1600"
attack_write="./attacker mbpoll -q -0 -r 10 10.20.0.12 1600"
attack_scan="./attacker nmap -n -p 1-10000 10.20.0.12"
attack_claim="./attacker arping -U -c 1 -i eth0 -S 10.20.0.12 10.20.0.12"
hmi_sends="./hmi curl -sS -d temperature=148 http://10.20.0.3:8086/"
hmi_reads="./hmi mbpoll $poll_options -1 10.20.0.15"
hmi_writes="./hmi mbpoll -q -0 -r 100 10.20.0.15 2500"
hmi_leaves="./hmi curl -sS -m 5 http://8.8.8.8/"

guide() { # EMPHASIS END
  cat <<TEXT

  plant network, 10.20.0.0/24                         behind the box

  laptop     .50  alice's certificate  --+
  scada      .5   none yet, polls      --+
  historian  .3                        --+---[ box ]---+--  press-4  .12
  press-5    .15                       --+     .100    +--  hmi-4    .13
  attacker   .66                       --+

Nobody's address was changed. In another terminal, as root:

     $1cd $dir$2

  1. alice reads the press, moves its temperature, and may not change a
     safety limit. Her stunnel connects to the press's own address, port 802:
     $1$reads$2
     $1$writes$2
     $1$refused$2

  2. SCADA may go without a certificate until $(days_ahead 90): it reads at
     port 502, as ever, and may not write:
     $1$scada_reads$2
     $1$scada_writes$2

  3. The attack: a plain write, a scan, and to claim the press's address:
     $1$attack_write$2
     $1$attack_scan$2
     $1$attack_claim$2

  4. hmi-4 reaches the historian, reads press-5 (inspected), and no more:
     $1$hmi_sends$2
     $1$hmi_reads$2
     $1$hmi_writes$2
     $1$hmi_leaves$2

  Look at it:  ./niac flows --watch   ./niac status   ./niac discover
               ./press tcpdump -n -i eth0      all that the press's port sees

Rules: scripts/demo.d/site-inline.yaml
There: press.log (all that reaches the press), scada.log, appliance.log,
       and this page as "commands"
TEXT
}

make_directory
claim_plant
niac_command

say
step "The plant, in network namespaces" make_plant
step "An authority, a certificate for alice" authority 10.20.0.12
step "press-4, behind the box, and press-5" machine press 10.20.0.12
machine press-5 10.20.0.15
step "The historian" start historian "historian is ready" ip netns exec $plant-historian node scripts/demo.d/historian.ts 10.20.0.3:8086
step "The appliance, in the cable" appliance
step "The site document: who may do what" cable_site
step "alice's laptop: stunnel with her certificate" laptop
# It would wait for one second; a computer with much to do may take longer.
step "SCADA polls the press, as it always did" start scada "[0]:" ip netns exec $plant-scada \
  stdbuf -oL mbpoll -0 -t 3 -r 0 -c 4 -o 10 10.20.0.12

if [ -n "$check" ]; then
  run_check
  exit 0
fi

guide "" "" >"$dir/commands"
guide "$bold" "$plain"
cat <<TEXT

The audit log, live; Ctrl-C ends the demo and removes everything:

TEXT
show_record
