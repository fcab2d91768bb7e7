#!/bin/sh
# Installs the real software that the data-plane tests ask: Suricata 7. Changes no source of packages; safe to repeat.
set -u

skip() {
    echo "data plane: Suricata 7 is missing ($1); the checks in tests/dataplane/aws will be skipped."
    exit 0
}

installed() {
    command -v suricata >/dev/null 2>&1 && suricata -V 2>/dev/null | grep -Eq 'version ([7-9]|[1-9][0-9])\.'
}

if installed; then
    suricata -V
    exit 0
fi
[ "$(id -u)" = 0 ] || skip "installing it needs root"
command -v apt-get >/dev/null 2>&1 || skip "no apt-get here; install it by your system's own means"

codename=$(. /etc/os-release && echo "${ID:-}-${VERSION_CODENAME:-}")
case $codename in
debian-?*) codename=${codename#debian-} ;;
*) skip "automatic installation knows Debian only" ;;
esac

work=$(mktemp -d) || skip "no temporary folder"
guard=
trap 'rm -rf "$work" $guard' EXIT
trap 'exit 1' HUP INT TERM

# The mirror is the one that this machine's own sources name. Backports are added for this run only, in a copy.
mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n "s/^$codename main //p" | head -n 1)
[ -n "$mirror" ] || skip "apt's sources name no mirror of $codename"
mkdir "$work/parts"
cp /etc/apt/sources.list.d/* "$work/parts/" 2>/dev/null
[ ! -f /etc/apt/sources.list ] || cp /etc/apt/sources.list "$work/parts/00-machine.list"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
signed=
[ ! -r "$keyring" ] || signed="[signed-by=$keyring] "
echo "deb $signed$mirror $codename-backports main" >"$work/parts/zz-backports.list"

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/parts" \
        -o APT::Get::List-Cleanup=false -o Dpkg::Use-Pty=0 "$@" >"$work/log" 2>&1
}

reason() { sed -n 's/^E: //p' "$work/log" | head -n 1 | cut -c 1-160; }

# The tests start Suricata themselves: the package must not start a sensor on this machine's interfaces, now or at boot.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    guard=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod 755 "$guard"
fi

apt update || skip "apt-get update failed: $(reason)"
apt install --yes --no-install-recommends -t "$codename-backports" suricata ||
    apt install --yes --no-install-recommends suricata || skip "apt-get install failed: $(reason)"
[ ! -d /run/systemd/system ] || systemctl disable suricata.service >/dev/null 2>&1
installed || skip "the package that apt offers is older than 7"
suricata -V
