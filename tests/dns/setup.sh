#!/bin/sh
# Installs the real software that tests/dns asks: knot, unbound as the cache before it, and Chromium, which opens the
# report's page. Safe to repeat.
set -u

skip() {
    have_servers || echo "DNS: knot or unbound is missing ($1); tests/dns/test_real_servers.py will be skipped."
    have_browser || echo "DNS: chromium is missing ($1); tests/dns/test_report_in_browser.py will be skipped."
    exit 0
}

have_servers() {
    PATH=$PATH:/usr/sbin:/sbin
    command -v knotd >/dev/null 2>&1 && command -v unbound >/dev/null 2>&1
}

have_browser() { command -v chromium >/dev/null 2>&1; }

said() {
    echo "DNS: $(knotd -V 2>&1 | head -n 1), $(unbound -V 2>&1 | head -n 1), $(chromium --version 2>/dev/null)"
    exit 0
}

wanted=
have_servers || wanted="knot unbound"
have_browser || wanted="$wanted chromium fonts-dejavu-core"
[ -n "$wanted" ] || said
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
# shellcheck disable=SC2086  # several packages
apt install --yes --no-install-recommends $wanted || skip "apt-get install failed: $(reason)"
[ ! -d /run/systemd/system ] || systemctl disable knot.service unbound.service >/dev/null 2>&1
have_servers && have_browser || skip "the packages do not hold them"
said
