# Sourced by scripts/demo: the appliance as a proxy on loopback, for everybody.

press_site() {
  sed "s/127\.0\.0\.1:5020/127.0.0.1:$press_port/" scripts/demo.d/site.yaml >"$dir/site.yaml"
  apply_site
}

setup_node
[ "$(id -u)" != 0 ] || install_tools openssl:openssl mbpoll:mbpoll
command -v openssl >/dev/null || fail "openssl is missing: it makes the demo's certificates. Install the package openssl."
command -v mbpoll >/dev/null || own_client=yes

make_directory
ports=$(node scripts/demo.d/free-ports.ts 5020 8802 8443 5502) || fail "no free port on 127.0.0.1"
{ read -r press_port; read -r modbus_port; read -r services_port; read -r local_port; } <<<"$ports"

export NIAC_LISTEN_MODBUS=127.0.0.1:$modbus_port NIAC_LISTEN_SERVICES=127.0.0.1:$services_port
export NIAC_VIA=127.0.0.1:$services_port NIAC_CA=$dir/pki/ca.crt
export NIAC_CERTIFICATE=$dir/pki/alice.crt NIAC_KEY=$dir/pki/alice.key

say
step "An authority, certificates for alice and bob" authority 127.0.0.1
step "A simulated press, 127.0.0.1:$press_port" start press "press is ready" node scripts/demo.d/press.ts "127.0.0.1:$press_port"
step "The appliance, 127.0.0.1:$services_port" start appliance "gateway is ready" node src/main.ts up
step "The site document: who may do what" press_site
step "alice's laptop: niac connect press-4" start connect "127.0.0.1:$local_port" node src/main.ts connect press-4 --port "$local_port"

if [ -n "$own_client" ]; then
  printf -v client %q "$root/scripts/demo.d/modbus"
  reads="$client 127.0.0.1:$local_port read input 0 4"
  writes="$client 127.0.0.1:$local_port write holding 10 1600"
  refused="$client 127.0.0.1:$local_port write holding 100 2500"
else
  stock="mbpoll -q -m tcp -p $local_port -a 1 -0"
  reads="$stock -t 3 -r 0 -c 4 -1 127.0.0.1"
  writes="$stock -r 10 127.0.0.1 1600"
  refused="$stock -r 100 127.0.0.1 2500"
fi

run_check() {
  local output status
  say
  attempt "$reads"
  expect "alice reads temperature, pressure and strokes" [ $status = 0 ]
  expect "the press was asked for them" pressed "read 4 of input registers from 0"
  attempt "$writes"
  expect "alice writes the set-point of 160.0 degrees" [ $status = 0 ]
  expect "the press has the new set-point" pressed "wrote holding register 10: 1500 -> 1600"
  attempt "$refused"
  expect "alice's write to the safety limits fails" [ $status != 0 ]
  expect "it is answered with exception 1, illegal function" grep -qi "illegal function" <<<"$output"
  expect "nothing of it arrived at the press" not pressed "register 100"
  say "The audit log"
  expect "the write is on record with the grant" recorded '"decision":"permit"' maintenance-sets-temperature user=alice
  expect "the refusal is on record with the rule" recorded '"decision":"denial"' nobody-writes-safety user=alice
  all_right "demo: all three commands did what they should"
}

if [ -n "$check" ]; then
  run_check
  exit 0
fi

cat <<TEXT

alice's laptop now has port $local_port for the press; from there on it is mutual TLS.
Paste these into another terminal:

  1. Read temperature, pressure and the stroke counter. Permitted:
     $bold$reads$plain

  2. Set the temperature to 160.0 degrees. Within alice's grant:
     $bold$writes$plain

  3. Change a safety limit. Refused (exception 1); the press never sees it:
     $bold$refused$plain

Rules: scripts/demo.d/site.yaml
Logs:  $dir
       press.log (all that reaches the press), appliance.log, connect.log

The audit log, live; Ctrl-C ends the demo and removes everything:

TEXT
show_record
