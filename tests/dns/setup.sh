#!/bin/sh
# Installs the real DNS servers that tests/dns asks: knot, and unbound as the cache before it. Safe to repeat.
set -u

skip() {
    echo "DNS: knot or unbound is missing ($1); tests/dns/test_real_servers.py will be skipped."
    exit 0
}

installed() {
    PATH=$PATH:/usr/sbin:/sbin
    command -v knotd >/dev/null 2>&1 && command -v unbound >/dev/null 2>&1
}

said() {
    echo "DNS: $(knotd -V 2>&1 | head -n 1), $(unbound -V 2>&1 | head -n 1)"
    exit 0
}

! installed || said
[ "$(id -u)" = 0 ] || skip "installing them needs root"
command -v apt-get >/dev/null 2>&1 || skip "no apt-get here; install them by your system's own means"

work=$(mktemp -d) || skip "no temporary folder"
guard=
trap 'rm -rf "$work" $guard' EXIT
trap 'exit 1' HUP INT TERM

# The tests start the servers themselves: the packages must not start one on this machine's interfaces, now or at boot.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    guard=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod 755 "$guard"
fi

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$work/log" 2>&1
}

reason() { sed -n 's/^E: //p' "$work/log" | head -n 1 | cut -c 1-160; }

apt update || skip "apt-get update failed: $(reason)"
apt install --yes --no-install-recommends knot unbound || skip "apt-get install failed: $(reason)"
[ ! -d /run/systemd/system ] || systemctl disable knot.service unbound.service >/dev/null 2>&1
installed || skip "the packages hold no servers"
said
