# Sourced by inline.sh and trust.sh, which set $plant: network namespaces that no cable leads out of; their names begin with it and a hyphen.

# host, switch, address, MAC address (those of machines and of scada stand in site-inline.yaml)
hosts='
laptop     plant     10.20.0.50  00:1b:1b:aa:00:50
scada      plant     10.20.0.5   00:1b:1b:aa:00:05
historian  plant     10.20.0.3   00:1b:1b:aa:00:03
press-5    plant     10.20.0.15  00:1b:1b:aa:00:15
attacker   plant     10.20.0.66  00:1b:1b:aa:00:66
press      machines  10.20.0.12  00:1b:1b:03:21:7a
hmi        machines  10.20.0.13  00:1b:1b:03:21:7b
'
box_address=10.20.0.100
router_address=10.20.0.1

inside() { # HOST command ...
  local host=$1
  shift
  ip netns exec "$plant-$host" "$@"
}

add_host() {
  ip netns add "$plant-$1"
  ip -n "$plant-$1" link set lo up
}

add_switch() {
  add_host "$1"
  ip -n "$plant-$1" link add br0 type bridge mcast_snooping 0
  quiet_port "$1" br0
  ip -n "$plant-$1" link set br0 up
}

# Without an IPv6 address of its own a port says nothing by itself, and the record shows what people did.
quiet_port() { ip -n "$plant-$1" link set "$2" addrgenmode none 2>/dev/null || true; }

plug() { # HOST PORT SWITCH
  ip -n "$plant-$3" link add "$1-$2" type veth peer name "$2" netns "$plant-$1"
  quiet_port "$3" "$1-$2"
  quiet_port "$1" "$2"
  ip -n "$plant-$3" link set "$1-$2" master br0 up
}

make_plant() {
  local host switch address mac
  add_switch plant
  add_switch machines
  ip -n $plant-plant addr add "$router_address/24" dev br0
  while read -r host switch address mac; do
    [ -n "$host" ] || continue
    add_host "$host"
    plug "$host" eth0 "$switch"
    ip -n "$plant-$host" link set eth0 address "$mac"
    ip -n "$plant-$host" addr add "$address/24" dev eth0
    ip -n "$plant-$host" link set eth0 up
    ip -n "$plant-$host" route add default via "$router_address"
    command_in "$host"
  done <<<"$hosts"
  add_host box
  plug box uplink plant
  plug box device machines
  ip -n $plant-box link set uplink up
  ip -n $plant-box link set device up
  command_in box
}

# A command of the host's name in the demo's directory runs what is typed after it there.
command_in() {
  printf '#!/bin/sh\nexec ip netns exec %s-%s "$@"\n' "$plant" "$1" >"$dir/$1"
  chmod +x "$dir/$1"
}

plant_names() { ip netns list | sed -n "s/^\\($plant-[a-z0-9-]*\\).*/\\1/p"; }

# Ends what still runs in the namespaces, people's own commands too: nobody would find them once the names are gone.
remove_plant() {
  local name left
  for name in $(plant_names); do
    left=$(ip netns pids "$name")
    # shellcheck disable=SC2086 # one word for each process
    [ -z "$left" ] || kill -TERM $left 2>/dev/null || true
  done
  for name in $(plant_names); do
    for ((tries = 0; tries < 100; tries++)); do
      left=$(ip netns pids "$name")
      [ -n "$left" ] || break
      sleep 0.1
    done
    # shellcheck disable=SC2086
    [ -z "$left" ] || kill -KILL $left 2>/dev/null || true
    ip netns del "$name"
  done
  rm -f "$plant_lock"
}

plant_lock=/run/$plant.lock

# One plant at a time on a computer. The lock goes with the process that holds it, so what is there without it was left by a killed demo.
claim_plant() {
  local left
  exec 8<>"$plant_lock" || fail "$plant_lock cannot be written"
  flock -n 8 || fail "another scripts/demo --$where runs on this computer. End it with Ctrl-C, and run this again."
  left=$(cat <&8)
  if [ -n "$(plant_names)" ]; then
    say "Removing what an earlier demo left, which did not end by itself: $(plant_names | tr '\n' ' ')"
    remove_plant
    exec 8<>"$plant_lock"
    flock -n 8 || fail "another scripts/demo --$where has just started on this computer"
  fi
  case $left in */niac-demo.??????) rm -rf "$left" ;; esac
  echo "$dir" >"$plant_lock"
  undo=remove_plant
}
