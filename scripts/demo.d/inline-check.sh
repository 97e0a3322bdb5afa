# Sourced by inline.sh: --check runs the commands as they are printed, and looks at the press's cable and at the record.

# mbpoll waits for one second; a computer with much to do may take longer.
patiently() { attempt "${1/mbpoll/mbpoll -o 10}"; }

# seen FILTER: how many packets of the capture at the press's port match.
seen() { PATH=$system_path tcpdump -n -r "$dir/press.pcap" "$1" 2>/dev/null | wc -l; }

polls() { grep -cF '[0]:' "$dir/scada.log"; }
goes_on() { # POLLS UNTIL NOW
  for ((tries = 0; tries < 100; tries++)); do
    [ "$(polls)" -le "$1" ] || return 0
    sleep 0.1
  done
  return 1
}
said() { grep -qiE "$1" <<<"$output"; }
only_open_port() { [ "$(sed -nE 's,^([0-9]+)/tcp +open .*,\1,p' <<<"$output")" = "$1" ]; }
records_like() { node src/main.ts audit query kind=flow.refused --json | grep -cF "$1"; }

run_check() {
  local output status before capture
  start capture "listening on" ip netns exec $plant-press tcpdump -U -n --immediate-mode -i eth0 -w "$dir/press.pcap"
  capture=${children[0]}
  before=$(polls)

  say
  patiently "$reads"
  expect "alice reads the press at its own address, with her certificate" [ $status = 0 ]
  patiently "$writes"
  expect "alice writes the set-point of 160.0 degrees" [ $status = 0 ]
  expect "the press has the new set-point" pressed "wrote holding register 10: 1500 -> 1600"
  patiently "$refused"
  expect "alice's write to the safety limits is an illegal function" said "illegal function"

  patiently "$scada_reads"
  expect "SCADA reads the press without a certificate" [ $status = 0 ]
  patiently "$scada_writes"
  expect "SCADA's write is an illegal function" said "illegal function"

  patiently "$attack_write"
  expect "the attacker's write is refused at once" said "connection refused"
  attempt "$attack_scan"
  expect "the attacker's scan finds port 802 alone" only_open_port 802
  attempt "$attack_claim"
  patiently "$reads"
  expect "alice still reads the press, which the attacker claimed to be" [ $status = 0 ]

  attempt "$hmi_sends"
  expect "hmi-4 reaches the historian, with its own address" said "historian: .*148 from 10\.20\.0\.13"
  patiently "$hmi_reads"
  expect "hmi-4 reads press-5, through the box" [ $status = 0 ]
  patiently "$hmi_writes"
  expect "hmi-4's write to the safety limits of press-5 is refused" said "illegal function"
  attempt "$hmi_leaves"
  # 28 would be curl's own patience at its end.
  expect "hmi-4 reaches nothing else, and fails at once" [ $status = 7 ]

  say "The press's cable, all the while"
  expect "SCADA's poll goes on" goes_on "$before"
  expect "and never failed" not grep -qi failed "$dir/scada.log"
  kill -INT "$capture"
  wait "$capture" || true
  expect "the box spoke to the press" [ "$(seen 'src host 10.20.0.100 and dst host 10.20.0.12 and port 502')" -gt 0 ]
  expect "nobody else did" [ "$(seen 'dst host 10.20.0.12 and not src host 10.20.0.100')" = 0 ]
  expect "the press saw one value written" [ "$(grep -c wrote "$dir/press.log")" = 1 ]
  expect "press-5 saw none" not grep -q wrote "$dir/press-5.log"

  attempt "./niac flows"
  expect "hmi-4's way to the historian, forwarded" said "^forwarded +hmi-4 .*historian"
  expect "SCADA's session, without a certificate" said "^no certificate +scada-1 "
  expect "what the attacker tried" said "^refused .*10\.20\.0\.66 "

  say "The audit log"
  expect "alice's write, with its grant" recorded '"decision":"permit"' maintenance-sets-temperature user=alice
  expect "alice's refused write, with its forbid" recorded '"decision":"denial"' nobody-writes-safety user=alice
  expect "SCADA's refused write" recorded '"decision":"denial"' '"kind":"operation"' user=scada-1
  expect "hmi-4's refused write" recorded '"decision":"denial"' '"kind":"operation"' user=hmi-4
  expect "where hmi-4 may not go" recorded 8.8.8.8 '"machine":"hmi-4"' kind=flow.refused
  expect "the attacker's scan" recorded 'looks like a scan' 10.20.0.66 kind=flow.refused
  expect "which is one record" [ "$(records_like 'looks like a scan')" = 1 ]
  expect "who claimed the press's address" recorded 00:1b:1b:aa:00:66 10.20.0.12 kind=network
  all_right "demo: all commands did what they should, and the press heard the box alone"
}
