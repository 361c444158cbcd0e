#!/bin/sh
# The way back from deploy/backup.sh. docs/backup.md tells the whole story.
#
#   restore.sh --data DIR [--private DIR] [--journal DIR] [--to MOMENT] [--replace]
#   restore.sh --try [--to MOMENT]        the same into a folder that is removed again: says what it found
#   restore.sh --list                     from which moments on there is a way back
#
# --data     where PostgreSQL will find its files. Empty or not there yet; --replace puts aside what is there, under
#            another name, and removes nothing
# --private  PRIVATE_FILES: what is missing or altered there is put back, everything else stays
# --journal  MAIL_JOURNAL: filled only where it is empty, which means that the whole machine was lost
# --to       a moment such as "2026-11-26 17:55", by the clock of Geneva unless it says +00; without it, the newest state
#
# From the environment: BACKUPS; PGUSER and PGDATABASE (presessions). PostgreSQL must be stopped. As root, the database
# belongs to the owner of DIR or of the folder around it afterwards, and the private files to the owner of theirs.
set -eu
umask 077
export LC_ALL=C
export TZ="${TZ:-Europe/Zurich}" PGUSER="${PGUSER:-presessions}" PGDATABASE="${PGDATABASE:-presessions}"

: "${BACKUPS:?Set BACKUPS to the folder with the backups.}"
TAB=$(printf '\t')
DATA='' PRIVATE='' JOURNAL='' TO='' TIMELINE=latest REPLACE='' TRY=''

say() { printf '%s restore: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }
die() { say "FAILED: $*" >&2; exit 1; }
fact() { sed -n "s/^$2=//p" "$BACKUPS/base/$1/facts"; }
bases() { find "$BACKUPS/base" -maxdepth 1 -name '2*' -printf '%f\n' | sort; }
geneva() { date -d "@$1" '+%A %-d %B %Y %H:%M:%S %Z'; }

while [ $# -gt 0 ]; do
    case "$1" in
        --data) DATA=${2:?}; shift ;;
        --private) PRIVATE=${2:?}; PRIVATE=${PRIVATE%/}; shift ;;
        --journal) JOURNAL=${2:?}; shift ;;
        --to) TO=${2:?}; shift ;;
        --timeline) TIMELINE=${2:?}; shift ;;
        --replace) REPLACE=yes ;;
        --try) TRY=yes ;;
        --list)
            for each in $(bases); do
                printf 'from %s (%s)\n' "$(geneva "$(fact "$each" ended)")" "$each"
            done
            exit ;;
        *) sed -n '2,/^set -eu/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
    shift
done

WORK=$(mktemp -d "${TMPDIR:-/tmp}/restore.XXXXXX")
SERVER=''
finish() {
    [ -z "$SERVER" ] || kill -INT "$SERVER" 2> /dev/null || true
    wait
    rm -rf "$WORK"
}
trap finish EXIT
trap 'exit 1' INT TERM
began=$(date +%s)

if [ -n "$TRY" ]; then
    chmod 711 "$WORK"
    DATA="$WORK/try/data" PRIVATE="$WORK/private" JOURNAL=''
    mkdir "$WORK/try" "$PRIVATE"
    [ "$(id -u)" != 0 ] || chown "$(id -un postgres 2> /dev/null || echo nobody):" "$WORK/try"
fi
[ -n "$DATA" ] || die "Say --data DIR, or --try."

# PostgreSQL does not run as root: it runs as whoever owns its folder, or the one around it.
(umask 022 && mkdir -p "$(dirname "$DATA")")
as_server=''
if [ "$(id -u)" = 0 ]; then
    owner=0 group=0
    for folder in "$DATA" "$(dirname "$DATA")"; do
        [ "$owner" != 0 ] || [ ! -d "$folder" ] || { owner=$(stat -c %u "$folder") group=$(stat -c %g "$folder"); }
    done
    [ "$owner" != 0 ] || { owner=$(id -u postgres 2> /dev/null || echo 0) group=$(id -g postgres 2> /dev/null || echo 0); }
    [ "$owner" != 0 ] || die "$(dirname "$DATA") belongs to root. Give it to the user PostgreSQL runs as."
    as_server="setpriv --reuid=$owner --regid=$group --clear-groups"
fi

[ ! -e "$DATA/postmaster.pid" ] ||
    die "$DATA/postmaster.pid is there: stop PostgreSQL first. If it died, start and stop it, or remove that file."
if [ -n "$(ls -A "$DATA" 2> /dev/null || true)" ]; then
    [ -n "$REPLACE" ] || die "$DATA is not empty. With --replace it is put aside."
    aside="$DATA.before-$(date -u +%Y%m%dT%H%M%SZ)"
fi

# --- 1. Which backup ------------------------------------------------------------------------------------------------

target='' chosen='' following=''
if [ -n "$TO" ]; then
    target=$(date -d "$TO" +%s) || die "Not a moment: $TO"
    say "1/6 The state of $(geneva "$target")"
else
    say "1/6 The newest state there is"
fi
for each in $(bases); do
    if [ -z "$target" ] || [ "$(fact "$each" ended)" -le "$target" ]; then
        chosen=$each
    else
        following=${following:-$each}
    fi
done
[ -n "$chosen" ] || die "There is no whole copy from before that moment. See --list."
base="$BACKUPS/base/$chosen"
say "2/6 The whole copy of $(geneva "$(fact "$chosen" ended)") is compared with its checksums"
(cd "$base" && sha256sum --check --quiet SHA256SUMS) || die "$chosen is damaged. Try an earlier one: --to."

# --- 2. The database -------------------------------------------------------------------------------------------------

say "3/6 The database's files are put into $DATA"
if [ -n "${aside:-}" ]; then
    mv "$DATA" "$aside"
    say "    What was there is now $aside: remove it when all is well."
fi
mkdir -p "$DATA"
chmod 700 "$DATA"
tar --extract --gzip --file="$base/cluster/base.tar.gz" --directory="$DATA"
tar --extract --gzip --file="$base/cluster/pg_wal.tar.gz" --directory="$DATA/pg_wal"
(cd "$DATA" && sha256sum --check --quiet "$base/sums") || die "The database's files did not come back as they were."
rm -f "$DATA/standby.signal"
: > "$DATA/recovery.signal"

# What was written since, up to the next whole copy: beside the data, since the server's user may not read BACKUPS.
written="$DATA/written_since"
mkdir "$written"
system=$(fact "$chosen" wal)
from=$(fact "$chosen" start | cut -c9-)
until=${following:+$(fact "$following" until | cut -c9-)}
find "$BACKUPS/wal" -path "$BACKUPS/wal/${system%-*}-*" -type f -printf '%f\t%p\n' | sort > "$WORK/wal"
while IFS="$TAB" read -r name path; do
    case "$name" in
        *.history) cp "$path" "$written/$name"; continue ;;
    esac
    place=$(printf %.24s "$name" | cut -c9-)
    expr "x$place" '>=' "x$from" > /dev/null || continue
    [ -z "$until" ] || expr "x$place" '<=' "x$until" > /dev/null || continue
    case "$name" in
        *.gz) gzip --decompress --stdout "$path" > "$written/${name%.gz}" ;;
        # One that has been compressed since it was whole may still have its beginning beside it.
        *.partial) [ -f "$written/${name%.partial}" ] || cp "$path" "$written/${name%.partial}" ;;
        *) cp "$path" "$written/$name" ;;
    esac
done < "$WORK/wal"
segments=$(find "$written" -type f ! -name '*.history' | wc -l)
[ -z "$as_server" ] || chown -R "$owner:$group" "$DATA"

say "4/6 PostgreSQL goes through what was written since: $segments pieces of 16 MB"
chmod 711 "$WORK"
mkdir "$WORK/socket"
printf 'local all all trust\n' > "$WORK/socket/hba" # nobody else gets into this folder
[ -z "$as_server" ] || chown -R "$owner:$group" "$WORK/socket"
set -- -D "$DATA" -c listen_addresses= -c unix_socket_directories="$WORK/socket" -c hba_file="$WORK/socket/hba" \
    -c hot_standby=off -c archive_mode=off -c logging_collector=off -c log_destination=stderr \
    -c restore_command="cp '$written/%f' '%p'" \
    -c recovery_target_timeline="$TIMELINE" -c recovery_target_action=promote
[ -z "$target" ] || set -- "$@" -c recovery_target_time="$(date -u -d "$TO" '+%Y-%m-%d %H:%M:%S.%6N+00')"
(cd / && exec $as_server postgres "$@") > "$WORK/log" 2>&1 &
SERVER=$!
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --host="$WORK/socket" "$@"; }
told=0
until grep -q 'database system is ready to accept connections' "$WORK/log"; do
    kill -0 "$SERVER" 2> /dev/null || {
        grep -v '^cp:' "$WORK/log" | tail -n 5 >&2
        if grep -q 'before configured recovery target was reached' "$WORK/log"; then
            die "What is kept does not reach as far as that moment. Leave --to away for the newest state there is."
        fi
        die "PostgreSQL did not come through. Its last words stand above."
    }
    done_so_far=$(grep -c 'restored log file' "$WORK/log" || true)
    if [ "$done_so_far" -ge $((told + 20)) ]; then
        told=$done_so_far
        say "    $told of $segments"
    fi
    sleep 0.2
done
[ "$(sql --command='SELECT pg_is_in_recovery()')" = f ] || die "PostgreSQL is still going through what was written."
last=$(sed -n 's/.*last completed transaction was at log time \(.*\)/\1/p' "$WORK/log" | tail -n 1)
tables=$(sql --command="SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
rows=$(printf '%s\n' "SELECT format('SELECT count(*) FROM %I', tablename) FROM pg_tables WHERE schemaname = 'public' \\gexec" |
    sql | awk '{ sum += $1 } END { print sum + 0 }')
kill -INT "$SERVER"
wait "$SERVER" || die "PostgreSQL did not stop as it should."
SERVER=''
rm -rf "$written"
say "    $rows rows in $tables tables; the last thing written: ${last:-in the whole copy}"

# --- 3. Private files and journal ------------------------------------------------------------------------------------
# What was there at the whole copy, and what came since; of what went since only what had gone before the moment. One
# look at the files after it is taken along too: a file stands there before the row that names it.

if [ -n "$PRIVATE" ]; then
    find "$BACKUPS/files" -name 'ledger.*' | sort | xargs --no-run-if-empty cat > "$WORK/ledger"
    awk -v target="$target" -v since="$(fact "$chosen" files)" '
        FILENAME == ARGV[1] { sum[$2] = $1; next }
        $2 < since { next }
        target != "" && $1 > target && beyond && $1 != beyond { next }
        target != "" && $1 > target { beyond = $1 }
        $3 == "+" { sum[$5] = $4 }
        $3 == "-" && sum[$5] == $4 && (target == "" || $2 < target) { delete sum[$5] }
        END { for (name in sum) print sum[name] "  " name }
    ' "$base/files" "$WORK/ledger" | sort -k 2 > "$WORK/files"
    mkdir -p "$PRIVATE"
    (cd "$PRIVATE" && sha256sum --check --quiet "$WORK/files" 2> /dev/null || true) |
        sed -n 's/: FAILED.*//p' | sort > "$WORK/missing"
    number=$(wc -l < "$WORK/missing")
    say "5/6 Private files: $(wc -l < "$WORK/files") belong to that state, $number of them are missing in $PRIVATE"
    whose=$(stat -c %u:%g "$PRIVATE")
    awk 'FILENAME == ARGV[1] { missing[$1]; next } $2 in missing' "$WORK/missing" "$WORK/files" > "$WORK/back"
    : > "$WORK/later"
    while read -r sum name; do # what has come under its name later has its hash behind
        if [ -f "$BACKUPS/pool/$name.$sum" ]; then echo "$sum  $name" >> "$WORK/later"; else echo "$name"; fi
    done < "$WORK/back" > "$WORK/first"
    (cd "$BACKUPS/pool" && tr '\n' '\0' < "$WORK/first" | xargs -0 --no-run-if-empty \
        cp --parents --preserve=timestamps --target-directory="$PRIVATE") || die "Not every private file is in the backup."
    while read -r sum name; do
        [ -d "$PRIVATE/${name%/*}" ] || mkdir "$PRIVATE/${name%/*}"
        cp --preserve=timestamps "$BACKUPS/pool/$name.$sum" "$PRIVATE/$name"
    done < "$WORK/later"
    if [ "$(id -u)" = 0 ]; then
        (cd "$PRIVATE" && cut -d' ' -f3 "$WORK/back" | xargs --no-run-if-empty chown "$whose")
        (cd "$PRIVATE" && cut -d' ' -f3 "$WORK/back" | xargs --no-run-if-empty dirname | sort -u |
            xargs --no-run-if-empty chown "$whose")
    fi
    [ ! -s "$WORK/files" ] || (cd "$PRIVATE" && sha256sum --check --quiet "$WORK/files") ||
        die "Not every private file came back as it was."
else
    say "5/6 Private files are left alone: --private was not said"
fi

if [ -n "$JOURNAL" ] && [ -d "$BACKUPS/journal" ] && [ -z "$(ls -A "$JOURNAL" 2> /dev/null || true)" ]; then
    mkdir -p "$JOURNAL"
    cp -r --preserve=timestamps "$BACKUPS/journal/." "$JOURNAL/"
    [ "$(id -u)" != 0 ] || chown -R "$(stat -c %u:%g "$JOURNAL")" "$JOURNAL"
    say "    The journal was empty, and is filled with its newest copy."
fi

if [ -n "$TRY" ]; then
    say "6/6 It would have worked, in $(($(date +%s) - began)) seconds. Nothing is kept of this trial."
else
    say "6/6 Done in $(($(date +%s) - began)) seconds. Now start everything, and then:
    manage.py forget --again       whoever was forgotten since is forgotten once more
    manage.py check_books          database and private files agree
    manage.py resume_mail          all mail stands still until then: see docs/backup.md"
fi
