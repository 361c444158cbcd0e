#!/bin/sh
# O5: a fresh clone on this machine, with pip and nothing else, as whoever calls this and, for root, as a plain user too.
#   make fresh                        the whole suite, twice: the better part of an hour on two cores
#   make fresh TESTS=tests/setup      some of it
# Only what pip needs to find its packages is taken along from the environment.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)

try() { # as whom: nothing, or a command that becomes somebody else
    folder=$(mktemp -d /tmp/fresh.XXXXXX)
    trap 'rm -rf "$folder"' EXIT
    git -C "$here" archive HEAD | tar -x -C "$folder"
    mkdir "$folder/home"
    [ $# -eq 0 ] || chown -R nobody "$folder"
    printf '%s, a fresh clone as %s\n' "$(date -u +%T)" "$("$@" id -un)"
    # shellcheck disable=SC2046 -- what pip needs, word by word
    "$@" env -i PATH="$PATH" HOME="$folder/home" TESTS="${TESTS:-}" $(env | grep '^PIP_\|_proxy=' || true) \
        sh -c "cd '$folder' && make .venv/.installed && if [ -n \"\$TESTS\" ]; then .venv/bin/pytest -q \$TESTS; else make test; fi"
    rm -rf "$folder"
    trap - EXIT
}

try
if [ "$(id -u)" = 0 ]; then
    try setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups
fi
printf '%s, whole\n' "$(date -u +%T)"
