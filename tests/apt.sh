# For the scripts that install what tests ask, after they have found that something is missing: the right to install it, and
# `apt` and `reason`. They have defined `skip WHY`.
# shellcheck shell=sh

[ "$(id -u)" = 0 ] || skip "installing needs root"
command -v apt-get >/dev/null 2>&1 || skip "no apt-get here; install by your system's own means"

work=$(mktemp -d) || skip "no temporary folder"
guard=
trap 'rm -rf "$work" $guard' EXIT
trap 'exit 1' HUP INT TERM

# The tests start servers themselves: no package must start one on this machine's interfaces, now or at boot.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    guard=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod 755 "$guard"
fi

apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$work/log" 2>&1; }
reason() { sed -n 's/^E: //p' "$work/log" | head -n 1 | cut -c 1-160; }
