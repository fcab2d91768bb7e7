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
[ "$(id -u)" = 0 ] || skip "installing them needs root"
command -v apt-get >/dev/null 2>&1 || skip "no apt-get here; install them by your system's own means"

work=$(mktemp -d) || skip "no temporary folder"
guard=
trap 'rm -rf "$work" $guard' EXIT
trap 'exit 1' HUP INT TERM

# The tests start the proxy themselves: the package must not start one on this machine's interfaces, now or at boot.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    guard=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod 755 "$guard"
fi

apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$work/log" 2>&1; }
reason() { sed -n 's/^E: //p' "$work/log" | head -n 1 | cut -c 1-160; }

apt update || skip "apt-get update failed: $(reason)"
# shellcheck disable=SC2086
apt install --yes --no-install-recommends $wanted || skip "apt-get install failed: $(reason)"
[ ! -d /run/systemd/system ] || systemctl disable squid.service nftables.service >/dev/null 2>&1
has_squid && has_nft || skip "the packages that apt offers are others"
said
