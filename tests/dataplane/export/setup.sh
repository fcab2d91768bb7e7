#!/bin/sh
# Installs the real software that tests/dataplane/export asks: Squid with OpenSSL, nftables and iproute2. Safe to repeat.
set -u

has_squid() { PATH=$PATH:/usr/sbin squid -v 2>/dev/null | grep -q -- --with-openssl; }
has_nft() { PATH=$PATH:/usr/sbin:/sbin command -v nft >/dev/null 2>&1 && PATH=$PATH:/usr/sbin:/sbin command -v ip >/dev/null 2>&1; }

skip() {
    has_squid || echo "data plane: Squid with OpenSSL is missing ($1); tests/dataplane/export/test_squid.py will be skipped."
    has_nft || echo "data plane: nft or ip is missing ($1); the checks of nftables will be skipped."
    exit 0
}

said() {
    echo "data plane: $(PATH=$PATH:/usr/sbin squid -v | head -n 1), $(PATH=$PATH:/usr/sbin nft --version)"
    exit 0
}

wanted=
has_squid || wanted="squid-openssl openssl"
has_nft || wanted="$wanted nftables iproute2"
[ -n "$wanted" ] || said
. "$(dirname "$0")/../../apt.sh"

apt update || skip "apt-get update failed: $(reason)"
# shellcheck disable=SC2086
apt install --yes --no-install-recommends $wanted || skip "apt-get install failed: $(reason)"
[ ! -d /run/systemd/system ] || systemctl disable squid.service nftables.service >/dev/null 2>&1
has_squid && has_nft || skip "the packages that apt offers are others"
said
