# Sourced by the scripts: brings node_modules up to the lock file and puts the pinned Node first on PATH.
# Needs Node 20 or later and npm to begin with; everything else comes from the lock file.

# What somebody typed belongs to the folder he typed it in.
export NIAC_CALLED_FROM=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '%s\n' "$*" >&2; }

# Downloads that outlive a checkout: used where they are, and never needed. NIAC_CACHE names another folder, or is none.
cache=${NIAC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/niac}
[ "$cache" != none ] && mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=

# What had to be downloaded, for who asks for it (scripts/test).
downloaded() {
  [ -z "${NIAC_DOWNLOADS:-}" ] || { mkdir -p "$(dirname "$NIAC_DOWNLOADS")" && echo "$*" >> "$NIAC_DOWNLOADS"; }
}

setup_node() {
  command -v npm >/dev/null || { say "npm is missing. Install Node.js 20 or later, with npm, and run this again."; exit 1; }
  # One at a time: two scripts that install into the same folder at once destroy each other's work.
  exec 9>"$root/.setup.lock"
  flock 9
  modules_are_current || install_modules
  build_addon
  flock -u 9
  exec 9>&-
  export PATH="$root/node_modules/.bin:$PATH"
  local version
  version=$(node --version)
  [ "$version" = v24.21.0 ] || { say "The pinned Node v24.21.0 is not in node_modules (found $version): is this Linux on x64 or arm64?"; exit 1; }
}

modules_are_current() {
  [ "$(lock_hash)" = "$(cat node_modules/.niac-lock 2>/dev/null || true)" ]
}

lock_hash() { cat package.json package-lock.json | sha256sum | cut -d' ' -f1; }

install_modules() {
  local kept=${cache:+$cache/node_modules/$(uname -m)-$(lock_hash).tar}
  if [ -n "$kept" ] && [ -e "$kept" ]; then
    say "Taking the pinned dependencies from $cache ..."
    rm -rf node_modules
    # A file that was cut short is no harm: it is removed, and they are installed.
    tar -xf "$kept" && touch "$kept" && return 0
    rm -rf "$kept" node_modules
  fi
  say "Installing the pinned dependencies (npm ci) ..."
  downloaded "npm packages"
  # No package's install script runs: the native parts come prebuilt inside the packages.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --progress=false --no-update-notifier >&2
  lock_hash > node_modules/.niac-lock
  [ -z "$kept" ] || keep_modules "$kept" || say "They could not be kept in $cache; the next checkout installs them again."
}

# keep_modules FILE  For the next checkout. Those of lock files that nobody has used for a month go.
keep_modules() {
  mkdir -p "$(dirname "$1")" && tar -cf "$1.$$" node_modules && mv "$1.$$" "$1" || { rm -f "$1.$$"; return 1; }
  find "$(dirname "$1")" -name '*.tar*' -mtime +30 -delete
}

# install_tools TOOL:PACKAGE ...  Installs Debian packages for the tools that are missing, where this is root on Debian; else says so.
install_tools() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "Missing: ${missing[*]}. Install them (this is not root on Debian, so it was not done); what needs them is skipped."
    return 0
  fi
  say "Installing ${missing[*]} ..."
  downloaded "${missing[*]}"
  (
    log=$(mktemp) policy=/usr/sbin/policy-rc.d made=
    # Also where it is broken off: who finds the file would start no service again.
    trap 'rm -f "$log"; [ -z "$made" ] || rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    # A package's service must not be started by its installation: 101 is policy-rc.d's word for no.
    if [ ! -e $policy ]; then
      made=yes
      printf '#!/bin/sh\nexit 101\n' > $policy && chmod +x $policy
    fi
    export DEBIAN_FRONTEND=noninteractive
    get=(apt-get -o DPkg::Lock::Timeout=300)
    # Packages that were downloaded once, by Debian's release and this processor. Apt checks each against its lists' hashes.
    kept=${cache:+$cache/debs/$(. /etc/os-release && echo "$VERSION_CODENAME")-$(dpkg --print-architecture)}
    if [ -n "$kept" ] && mkdir -p "$kept/partial" 2>/dev/null; then
      get+=(-o "Dir::Cache::Archives=$kept" -o APT::Keep-Downloaded-Packages=true -o APT::Sandbox::User=root)
      # By the time they came here: their own is their builder's.
      find "$kept" -name '*.deb' -ctime +60 -delete
    fi
    { "${get[@]}" install -y --no-install-recommends "${missing[@]}" ||
      { "${get[@]}" update && "${get[@]}" install -y --no-install-recommends "${missing[@]}"; }
    } > "$log" 2>&1 || { tail -n 20 "$log" >&2; say "Not all could be installed; what needs them is skipped."; }
  )
}

# pymodbus' server reads in what serial lines need, which Debian's package only recommends.
pymodbus=(pymodbus:python3-pymodbus serial:python3-serial serial_asyncio:python3-serial-asyncio)
install_pymodbus() { /usr/bin/python3 -c 'import pymodbus.server' 2>/dev/null || install_tools "${pymodbus[@]}"; }

# What an image is made with.
image_tools=(mmdebstrap:mmdebstrap mksquashfs:squashfs-tools veritysetup:cryptsetup-bin mkfs.vfat:dosfstools mcopy:mtools sfdisk:fdisk
  zstd:zstd xz:xz-utils rauc:rauc openssl:openssl depmod:kmod cpio:cpio dtc:device-tree-compiler systemctl:systemd unshare:util-linux
  aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu)

# need_tools TOOL:PACKAGE ...  As install_tools, for a script that can do nothing without them: stops where one is still missing, by name.
need_tools() {
  install_tools "$@"
  local pair lacks=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || lacks+=("${pair%%:*} (Debian's package ${pair#*:})")
  done
  [ "${#lacks[@]}" = 0 ] || { say "This cannot be done without: $(printf '%s, ' "${lacks[@]}" | sed 's/, $//')."; exit 1; }
}

# build_addon [FILE]  Builds the network addon of src/native where its source, the flags, the compiler (and its version) or
# Node's headers changed. FILE: default build/niac-net.node. For the appliance's processor: CC=aarch64-linux-gnu-gcc build_addon FILE
build_addon() {
  local out=${1:-build/niac-net.node} cc=${CC:-gcc} headers hash
  headers=$(echo node_modules/node-linux-*/include/node | cut -d' ' -f1)
  # Without the pinned Node there is nothing to build for; setup_node says so.
  [ -e "$headers/node_version.h" ] || return 0
  local flags=(-std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -fstack-protector-strong
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -Wl,-z,relro,-z,now)
  hash=$( (cat src/native/*.[ch] "$headers/node_version.h" && echo "$cc" "${flags[@]}" && "$cc" --version 2>&1 | head -n 1) | sha256sum | cut -d' ' -f1)
  [ ! -e "$out" ] || [ "$hash" != "$(cat "$out.hash" 2>/dev/null || true)" ] || return 0
  if [ "$cc" = gcc ]; then
    install_tools gcc:gcc
    [ -e /usr/include/stdio.h ] || install_tools libc-headers:libc6-dev
  fi
  say "Building the network addon ..."
  mkdir -p "$(dirname "$out")"
  # Beside it and then in its place: a process that has the old one loaded keeps it whole.
  if command -v "$cc" >/dev/null && "$cc" "${flags[@]}" -isystem "$headers" -o "$out.$$" src/native/*.c >&2; then
    mv "$out.$$" "$out" && echo "$hash" > "$out.hash"
  else
    rm -f "$out.$$" "$out" "$out.hash"
    say "The network addon could not be built: niac runs as a gateway on loopback, and cannot stand in the cable."
  fi
}
