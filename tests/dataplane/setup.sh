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

codename=$(. /etc/os-release && echo "${ID:-}-${VERSION_CODENAME:-}")
case $codename in
debian-?*) codename=${codename#debian-} ;;
*) skip "automatic installation knows Debian only" ;;
esac

. "$(dirname "$0")/../apt.sh"

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

cat >"$work/apt.conf" <<CONF
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/parts";
APT::Get::List-Cleanup "false";
CONF
export APT_CONFIG="$work/apt.conf"

apt update || skip "apt-get update failed: $(reason)"
apt install --yes --no-install-recommends -t "$codename-backports" suricata ||
    apt install --yes --no-install-recommends suricata || skip "apt-get install failed: $(reason)"
[ ! -d /run/systemd/system ] || systemctl disable suricata.service >/dev/null 2>&1
installed || skip "the package that apt offers is older than 7"
suricata -V
