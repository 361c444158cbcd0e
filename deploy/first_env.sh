#!/bin/sh
# The first .env: .env.example with every secret made. `(umask 077; sh deploy/first_env.sh > .env)`, so that nobody else
# reads it for a moment; then fill in the rest.
# Needs openssl. Keep SECRET_KEY and VAULT_KEYSET a second time, apart from this machine and its backups.
set -eu
umask 077
cd "$(dirname "$0")/.."
command -v openssl > /dev/null || { echo "Install openssl first." >&2; exit 1; }
while IFS= read -r line; do
    case "$line" in
        SECRET_KEY=) echo "$line'$(openssl rand -base64 48 | tr -d '\n')'" ;;
        VAULT_KEYSET=\'\') printf "VAULT_KEYSET='{\"primary\":\"1\",\"keys\":{\"1\":\"%s\"}}'\n" "$(openssl rand -base64 32)" ;;
        *_PASSWORD=) echo "$line$(openssl rand -hex 24)" ;;
        *) printf '%s\n' "$line" ;;
    esac
done < .env.example
