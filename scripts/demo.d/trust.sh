# Sourced by scripts/demo: certificates from the first to the last, between two network namespaces. As root.
plant=niac-trust
. scripts/demo.d/inline-plant.sh

[ "$(id -u)" = 0 ] || fail "--trust makes network namespaces and needs root: sudo scripts/demo --trust. Without root there is scripts/demo."
PATH=/usr/sbin:/usr/bin:/sbin:/bin install_tools ip:iproute2 openssl:openssl mbpoll:mbpoll flock:util-linux
for tool in ip openssl mbpoll flock; do
  PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v $tool >/dev/null || fail "$tool is missing. Install it and run this again."
done
setup_node

box_address=10.21.0.1
laptop_address=10.21.0.50

# A cable from the box to the laptop; the press is inside the box, behind the gateway.
make_plant() {
  add_host box
  add_host laptop
  ip -n $plant-box link add eth0 type veth peer name eth0 netns $plant-laptop
  ip -n $plant-box addr add $box_address/24 dev eth0
  ip -n $plant-laptop addr add $laptop_address/24 dev eth0
  ip -n $plant-box link set eth0 up
  ip -n $plant-laptop link set eth0 up
}

# box, laptop: what is typed after it runs there, with niac as people have it.
command_on() { # HOST NAME=value ...
  local host=$1 setting
  shift
  {
    printf '#!/bin/sh\nPATH=%q:$PATH\n' "$dir/bin"
    for setting; do printf 'export %s=%q\n' "${setting%%=*}" "${setting#*=}"; done
    printf 'exec ip netns exec %s-%s "$@"\n' "$plant" "$host"
  } >"$dir/$host"
  chmod +x "$dir/$host"
}

commands() {
  mkdir "$dir/bin" "$dir/home"
  printf '#!/bin/sh\nexec %q %q "$@"\n' "$root/node_modules/.bin/node" "$root/src/main.ts" >"$dir/bin/niac"
  chmod +x "$dir/bin/niac"
  command_on box "NIAC_RUN_DIR=$dir/run"
  command_on laptop "HOME=$dir/home" "XDG_CONFIG_HOME=$dir/home/.config"
}

appliance() {
  export NIAC_LISTEN_MODBUS=0.0.0.0:802 NIAC_LISTEN_SERVICES=0.0.0.0:8443 NIAC_LISTEN_ENROLL=0.0.0.0:443
  unset NIAC_TLS_CERTIFICATE NIAC_TLS_KEY NIAC_TLS_CLIENT_CA
  start appliance "control is ready" ip netns exec $plant-box node src/main.ts up
}

authority_here() { (cd "$dir" && ./box niac authority init "Demo plant") >"$dir/authority.log" 2>&1 || { cat "$dir/authority.log" >&2; return 1; }; }

# await FILE "text"
await() {
  for ((tries = 0; tries < 200; tries++)); do
    if grep -qF "$2" "$1"; then return 0; fi
    sleep 0.1
  done
  tail -n 5 "$1" >&2
  return 1
}

site_here() {
  cp scripts/demo.d/site.yaml "$dir/site.yaml"
  apply_site
  await "$dir/appliance.log" "gateway is ready"
}

make_directory
claim_plant

say
step "Two namespaces, a cable between them" make_plant
commands
step "A simulated press behind the box" start press "press is ready" ip netns exec $plant-box node scripts/demo.d/press.ts 127.0.0.1:5020
step "The appliance, $box_address" appliance
step "The plant's authority: niac authority init" authority_here
step "The site document: who may do what" site_here

fingerprint=$(cd "$dir" && ./box niac authority show | grep -oE '[0-9a-f]{64}' | head -n 1) || true
[ -n "$fingerprint" ] || fail "niac authority show names no fingerprint"

makes_code="./box niac enrolment code --user alice --device laptop-7 --tier managed"
enrols="./laptop niac enroll https://$box_address --user alice --device laptop-7 --fingerprint sha256:$fingerprint"
lists="./laptop niac machines"
connects="./laptop niac connect press-4 --port 5502"
transfers="./laptop $root/node_modules/.bin/node $root/scripts/demo.d/transfer.ts 127.0.0.1:5502"
revokes="./box niac authority revoke --user alice --reason 'laptop lost'"

run_check() {
  local output status began closed
  say
  attempt "$makes_code"
  expect "an administrator has a one-time code for alice" [ $status = 0 ]
  grep -oE '[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4})+' <<<"$output" >"$dir/code" || fail "the command printed no code: $output"
  chmod 600 "$dir/code"
  attempt "$enrols --code-file code"
  expect "alice's laptop enrols with it" [ $status = 0 ]
  attempt "$enrols --code-file code --again"
  expect "the same code with another key is refused" [ $status != 0 ]
  attempt "$lists"
  expect "the laptop may use the press" grep -q "press-4" <<<"$output"
  start connect "127.0.0.1:5502" bash -c "cd '$dir' && exec $connects"
  start transfer "101 reads" bash -c "cd '$dir' && exec $transfers"
  began=$(date +%s%3N)
  attempt "$revokes"
  expect "alice's certificate is revoked" [ $status = 0 ]
  expect "the transfer's connection is closed" await "$dir/transfer.log" "closed at"
  closed=$(sed -nE 's/^closed at ([0-9]+) .*/\1/p' "$dir/transfer.log")
  say "  from typing the command to the closed socket: $((closed - began)) ms, the start of the command itself included"
  attempt "$lists"
  expect "the laptop is refused from now on" [ $status != 0 ]
  say "The audit log"
  expect "the revocation is on record" recorded "revoke" "alice" kind=trust
  expect "the session's end is on record" recorded "revoked" '"kind":"session.end"' user=alice
  all_right "demo: alice enrolled, worked, and was out the moment she was revoked"
}

if [ -n "$check" ]; then
  run_check
  exit 0
fi

cat <<TEXT

The box is a namespace, the laptop another, and nobody handled a key file. In another terminal, as root:

     ${bold}cd $dir$plain

  1. An administrator makes a one-time code, alice enrols with it:
     $bold$makes_code$plain
     $bold$enrols$plain

  2. What may she use? She connects, and a transfer runs (two terminals):
     $bold$lists$plain
     $bold$connects$plain
     $bold$transfers$plain

  3. The laptop is lost. Look at the transfer while you type this:
     $bold$revokes$plain

  Look at it:  ./box niac authority show   ./box niac sessions   ./box niac lock user alice --reason "..."

Rules: scripts/demo.d/site.yaml
Logs:  $dir

The audit log, live; Ctrl-C ends the demo and removes everything:

TEXT
show_record
