#!/bin/sh
# The virtual environment that make works in.
#
#   venv.sh make VENV PYTHON ORIGIN   keeps a whole one, makes one where there is none, and makes one that cannot work again
#   venv.sh install VENV LOCK         installs what the lock file says, and nothing whose hash is not in it
#   venv.sh editable VENV FOLDER      installs the project in FOLDER, of which the rest is there
#
# ORIGIN is what make says of PYTHON: `file` is the Makefile's default, which gives way to the Python that is there.
set -u

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

alive() { kill -0 "$1" 2>/dev/null || [ -e "/proc/$1" ]; }

# What is wrong with the environment at $venv; nothing if it can be used.
fault() {
    if ! found=$(version_of "$venv/bin/python"); then
        echo "its Python does not run"
    elif [ ! -d "$venv/lib/python$found" ]; then # python3 became another one, as in an upgrade of Debian
        echo "it was made with another Python than $found, which its link leads to now"
    elif [ ! -x "$venv/bin/pip" ]; then
        echo "it has no pip"
    elif ! grep -qF "$(cd "$venv" && pwd -P)/bin/python" "$venv/bin/pip"; then # pip's own script says where it was made
        echo "it was made at another path"
    elif [ -e "$marker" ]; then
        echo "an installation into it was interrupted"
    fi
}

# Ends where $1, as version_of says it, is too old; $2 is what has it.
refuse_old() {
    [ "${1%.*}" -gt 3 ] || { [ "${1%.*}" -eq 3 ] && [ "${1#*.}" -ge 11 ]; } ||
        stop "hostgate needs Python 3.11 or newer; $2 is Python $1." "Set PYTHON, e.g. make PYTHON=python3.13 preview"
}

# The environment can be used; it must also be of the Python that was asked for.
keep() {
    found=$(version_of "$venv/bin/python")
    refuse_old "$found" "$venv"
    [ "$origin" != file ] || return 0
    wanted=$(version_of "$python") ||
        stop "PYTHON=$python does not run as Python: $("$python" --version 2>&1 | head -n 1)"
    [ "$wanted" = "$found" ] ||
        stop "$venv has Python $found, and PYTHON=$python is Python $wanted." \
            "Begin again with \`make clean\`, or keep both: make VENV=.venv-$wanted PYTHON=$python preview"
}

make_venv() {
    python=$3 origin=$4
    if [ -f "$marker" ] && alive "$(cat "$marker")"; then
        stop "Another make installs into $venv (process $(cat "$marker")). Wait until it has ended." \
            "If it is none of yours, remove $marker."
    fi
    if [ -e "$venv" ] || [ -L "$venv" ]; then
        [ -f "$venv/pyvenv.cfg" ] || [ -f "$marker" ] ||
            stop "$venv is there and is no virtual environment. Move it away, then again."
        wrong=$(fault)
        [ -n "$wrong" ] || { keep; exit 0; }
        [ ! -L "$venv" ] || stop "$venv is a link to an environment that cannot be used: $wrong. Remove the link, then again."
    fi
    version=$(version_of "$python") ||
        stop "$python does not run as Python: $("$python" --version 2>&1 | head -n 1)" \
            "Set PYTHON, e.g. make PYTHON=python3.13 preview"
    refuse_old "$version" "$python"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        stop "Python's venv module is missing. On Debian: apt install python$version-venv"
    if [ -e "$venv" ]; then
        echo "$venv cannot be used: $wrong. Making it again." >&2
        rm -rf "$venv" || stop "It cannot be removed by this user. Ask its owner for \`make clean\`."
    fi
    mkdir -p "$venv" && echo $$ >"$marker" && "$python" -m venv "$venv" ||
        stop "$venv could not be made with $python; see above."
    rm -f "$marker"
}

install() {
    # Without compiling: of the 1 GB of SDKs a run imports a hundredth, and Python compiles that when it does.
    echo $$ >"$marker" || stop "This user cannot write into $venv. Ask its owner to run make, or use another: make VENV=..."
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile "$@"
    code=$?
    rm -f "$marker"
    shift $(($# - 1))
    [ $code = 0 ] ||
        stop "The packages of $1 could not be installed into $venv; see above." \
            "They come from the package index that pip is set up for: look at the network, then run the same command again."
}

venv=$2
marker=$venv/.installing
case $1 in
make) make_venv "$@" ;;
install) install --no-deps --require-hashes -r "$3" ;; # the lock has all of it
editable) install --no-deps --no-build-isolation --editable "$3" ;;
esac
