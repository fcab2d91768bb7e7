#!/bin/sh
# The tests on each Python that hostgate is for and that this machine has, beside the one of the environment $1.
#
# Each has an environment of its own, .venv-3.12 for one.
set -u
VERSIONS="3.11 3.12 3.13"

ours=$("$1/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || exit 1

# Whether $1 is Python $2. It is asked, because a shim of pyenv is there for versions too that it does not run.
is_python() {
    [ -x "$1" ] && [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$2" ]
}

find_python() {
    (
        IFS=:
        for folder in $PATH; do
            is_python "$folder/python$1" "$1" && echo "$folder/python$1" && exit
        done
        folder=$(pyenv prefix "$1" 2>/dev/null) && is_python "$folder/bin/python$1" "$1" && echo "$folder/bin/python$1"
    )
}

passed="$ours (make test)" failed='' untried=''
for version in $VERSIONS; do
    [ "$version" != "$ours" ] || continue
    if ! python=$(find_python "$version"); then
        untried="$untried${untried:+,} $version (not on this machine)"
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        untried="$untried${untried:+,} $version (no venv module; on Debian: apt install python$version-venv)"
    elif echo "Python $version: $python" && make "VENV=.venv-$version" "PYTHON=$python" test-python; then
        passed="$passed, $version"
    else
        failed="$failed $version"
    fi
done
echo "Tests passed on Python $passed.${untried:+ Not tried:$untried.}${failed:+ FAILED on:$failed.}"
[ -z "$failed" ]
