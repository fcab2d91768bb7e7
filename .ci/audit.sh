#!/bin/sh
# Known vulnerabilities of what the lock files name:   audit.sh PIP_AUDIT LOCK...
#
# pip-audit ends with 1 for one that it found, and for a database that it could not ask. Only the first is an answer.
audit=$1 found='' unasked=''
shift
for lock in "$@"; do
    said=$("$audit" --strict --progress-spinner off --disable-pip --require-hashes -r "$lock" 2>&1)
    code=$?
    case $code:$said in
    0:*) echo "$lock: no known vulnerabilities" ;;
    *"Found "*" known vulnerabilit"*)
        printf '%s\n' "$said"
        echo "$lock: see above. Raise the version in ${lock%.lock}.txt, then make lock."
        found=1
        ;;
    *)
        echo "$lock: NOT AUDITED, the database of vulnerabilities gave no answer: $(printf '%s\n' "$said" | tail -n 1)" >&2
        unasked=1
        ;;
    esac
done
[ -z "$unasked" ] ||
    echo "The database is a service of the package index itself, which a mirror may lack. Try again with a network." >&2
[ -z "$found$unasked" ]
