#!/bin/sh
# Whether a frozen bundle gives the same bits wherever it is computed again.
#
#   deploy/recompute.sh BUNDLE [PROGRAM]...      default: xunjian on PATH
#
# Each program (another build, optimisation level or machine's) verifies the bundle in several time
# zones and locales, and where root runs this, as an ordinary user too: with no settings, no
# database, no home and nothing else in the environment. Every run must tell the same digest.
set -eu

if [ $# -eq 0 ]; then
    echo "usage: $0 BUNDLE [PROGRAM]..." >&2
    exit 2
fi
bundle=$1
shift
[ $# -gt 0 ] || set -- xunjian

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$place"
# A copy that the other user may read.
cp "$bundle" "$place/bundle.jsonl"
chmod 644 "$place/bundle.jsonl"

told=
verify() {
    what=$1
    shift
    line=$(cd / && env -i PATH=/usr/bin:/bin "$@" assessment verify --bundle "$place/bundle.jsonl")
    digest=$(printf '%s\n' "$line" | grep -o 'sha256:[0-9a-f]*' | head -n 1)
    echo "$digest  $what"
    [ -n "$digest" ] && [ "${told:-$digest}" = "$digest" ] || {
        echo "$0: $what: $line" >&2
        exit 1
    }
    told=$digest
}

number=0
for program; do
    number=$((number + 1))
    copy=$place/xunjian$number
    cp "$(command -v "$program")" "$copy"
    chmod 755 "$copy"
    for zone in UTC America/St_Johns Pacific/Kiritimati; do
        for locale in C tr_TR.UTF-8; do
            verify "$program TZ=$zone LC_ALL=$locale" TZ=$zone LC_ALL=$locale "$copy"
        done
    done
    if [ "$(id -u)" -eq 0 ]; then
        nobody=$(id -u nobody)
        verify "$program as uid $nobody" \
            setpriv --reuid "$nobody" --regid "$nobody" --clear-groups "$copy"
    fi
done
