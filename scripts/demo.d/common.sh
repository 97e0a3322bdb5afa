# Sourced by scripts/demo: starting, stopping and checking. Leaves nothing behind, whatever ends it.

dir= farewell=
undo= # a function that removes what is outside of $dir
children=() # newest first: each is stopped before what it leans on

fail() {
  say "demo: $*"
  exit 1
}

clean_up() {
  local status=$? child
  trap - EXIT
  trap '' INT TERM HUP
  for child in "${children[@]}"; do
    kill -TERM "$child" 2>/dev/null || continue
    # Not by "wait": bash waits forever for a child that ended while a trap broke off another wait. The appliance gives each of its
    # processes 8 seconds; who takes longer than all of them together does not listen.
    for ((tries = 0; tries < 300; tries++)); do
      kill -0 "$child" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$child" 2>/dev/null || true
  done
  [ -z "$undo" ] || "$undo" || true
  [ -z "$dir" ] || rm -rf "$dir"
  [ -z "$farewell" ] || say "$farewell"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# step "what is being done" command ...   Says how long it took where that is over a second.
step() {
  local title=$1 began=$EPOCHREALTIME ms
  shift
  printf '  %-46s ' "$title" >&2
  "$@" || { printf 'failed\n' >&2; exit 1; }
  ms=$(((${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 1000))
  if [ "$ms" -ge 1000 ]; then printf 'done in %d.%d s\n' $((ms / 1000)) $((ms % 1000 / 100)) >&2; else printf 'done\n' >&2; fi
}

# start NAME "text that says it is ready" command ...   In the background, its output to NAME.log.
start() {
  local name=$1 ready=$2 child
  shift 2
  : >"$dir/$name.log"
  # 8 is the lock of the plant: what outlives a killed demo must not hold it.
  "$@" >>"$dir/$name.log" 2>&1 </dev/null 8>&- &
  child=$!
  children=("$child" "${children[@]}")
  for ((tries = 0; tries < 300; tries++)); do
    if grep -qF "$ready" "$dir/$name.log"; then return 0; fi
    kill -0 "$child" 2>/dev/null || break
    sleep 0.1
  done
  printf 'failed\n' >&2
  cat "$dir/$name.log" >&2
  fail "$name did not start; above is what it said"
}

# make_directory: of this demo alone, and the settings that do not depend on where the appliance stands.
make_directory() {
  dir=$(mktemp -d "${TMPDIR:-/tmp}/niac-demo.XXXXXX")
  mkdir "$dir/pki" "$dir/state"
  export NIAC_STATE_DIR=$dir/state NIAC_RUN_DIR=$dir/run NIAC_ORIGIN=box-1.demo.example
  export NIAC_TLS_CERTIFICATE=$dir/pki/box.crt NIAC_TLS_KEY=$dir/pki/box.key NIAC_TLS_CLIENT_CA=$dir/pki/ca.crt
  export NIAC_LOG_LEVEL=info NODE_COMPILE_CACHE=$dir/compiled
  unset NIAC_APPLIANCE
}

# authority ADDRESS   The appliance's certificate is for its own name and for this address.
authority() { node scripts/demo.d/authority.ts "$dir/pki" "$1"; }

apply_site() {
  node src/main.ts site apply "$dir/site.yaml" --note "the demo's own" >"$dir/site.log" 2>&1 || { cat "$dir/site.log" >&2; return 1; }
}

# --- --check ---------------------------------------------------------------------------------------------------------

wrong=

# expect "what should be so" command ...   Quiet where it is so.
expect() {
  local what=$1
  shift
  if "$@" >/dev/null; then
    say "  ok      $what"
  else
    say "  NOT SO  $what"
    [ -n "$wrong" ] || wrong="the first thing that was not so: $what. The last command before it said: $output"
  fi
}
not() { ! "$@"; }
pressed() { grep -qF "$1" "$dir/press.log"; }

# attempt "command as printed" ...   Runs it in the demo's directory and keeps $output and $status.
attempt() {
  say "$1"
  output=$(cd "$dir" && bash -c "$1" 2>&1) && status=0 || status=$?
}

# recorded "text" "text" field=value ...   Whether one record has both; what was refused is stored when it has been quiet for five seconds.
recorded() {
  local one=$1 other=$2 found
  shift 2
  for ((tries = 0; tries < 60; tries++)); do
    found=$(node src/main.ts audit query "$@" --json | grep -F "$one" | grep -F "$other" || true)
    [ -z "$found" ] || return 0
    sleep 0.25
  done
  return 1
}

all_right() { # "what is said if so"
  if [ -n "$wrong" ]; then
    tail -n 8 "$dir"/*.log >&2
    fail "not all went as it should; above are the ends of the logs; $wrong"
  fi
  say
  say "$1"
}

# --- for people ------------------------------------------------------------------------------------------------------

bold= plain=
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

# Shows the record until Ctrl-C.
show_record() {
  trap 'farewell="demo: all is stopped and removed"; exit 0' INT
  # In the background, because bash looks at signals only while it waits and not while it runs something.
  node src/main.ts audit tail --lines 3 --follow 8>&- &
  children=("$!" "${children[@]}")
  wait "$!" || true
  fail "the appliance ended"
}
