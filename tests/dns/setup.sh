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
. "$(dirname "$0")/../apt.sh"

apt update || skip "apt-get update failed: $(reason)"
# shellcheck disable=SC2086  # several packages
apt install --yes --no-install-recommends $wanted || skip "apt-get install failed: $(reason)"
[ ! -d /run/systemd/system ] || systemctl disable knot.service unbound.service >/dev/null 2>&1
have_servers && have_browser || skip "the packages do not hold them"
said
