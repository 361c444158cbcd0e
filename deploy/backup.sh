#!/bin/sh
# Backups: the database to the minute, and every private file. docs/backup.md tells the whole story.
#
#   backup.sh run      until it is stopped: what is written in the database as it is written, files each minute, and
#                      once a day a whole copy. What the service `backup` of docker-compose does.
#   backup.sh once     the same, one time: for a system timer. What came since the timer last fired is what may be lost.
#   backup.sh list     what there is
#
# From the environment: BACKUPS, a folder that is not on the database's disk; PRIVATE_FILES and MAIL_JOURNAL, as the
# application has them; PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE, a role that may replicate and read all.
# BACKUP_DAYS (30): nothing older is kept. BACKUP_BASE_HOURS (24): a whole copy so often. BACKUP_SECONDS (60): between
# two looks at the files. BACKUP_SLOT (presessions_backup): another one for backups in a second place.
#
# Neither SECRET_KEY nor VAULT_KEYSET is in a backup, nor known here: keep them somewhere else, or nobody can read it.
# Needs sh, the programs of PostgreSQL 18, and coreutils, findutils, gawk or mawk, gzip, tar as Debian has them.
set -eu
umask 077
export LC_ALL=C

: "${BACKUPS:?Set BACKUPS to the folder for backups.}"
: "${PGDATABASE:?Set PGHOST, PGUSER, PGPASSWORD and PGDATABASE.}"
: "${BACKUP_DAYS:=30}" "${BACKUP_BASE_HOURS:=24}" "${BACKUP_SECONDS:=60}"
: "${BACKUP_SLOT:=presessions_backup}"
SLOT=$BACKUP_SLOT
TAB=$(printf '\t')
ME=$0
TMP="$BACKUPS/tmp/$$"

say() { printf '%s backup: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }
die() { say "FAILED: $*" >&2; exit 1; }
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"; }
size() { du -sh "$1" | cut -f1; }

# --- What the database writes --------------------------------------------------------------------------------------
# A slot keeps what we have not received yet, so that nothing is missing after a night without us. Each timeline gets a
# folder of its own: a restored database goes on under the same name from an earlier point.

wal_folder() {
    sql --dbname="dbname=$PGDATABASE replication=yes" --command=IDENTIFY_SYSTEM > "$TMP/system" ||
        die "PostgreSQL does not answer, or does not let $PGUSER replicate."
    IFS='|' read -r system timeline position _ < "$TMP/system"
    wal="$BACKUPS/wal/$system-$(printf %08X "$timeline")"
    mkdir -p "$wal"
}

slot() {
    state=$(sql --command="SELECT coalesce(wal_status, 'new') FROM pg_replication_slots WHERE slot_name = '$SLOT'")
    if [ -z "$state" ] || [ "$state" = lost ]; then
        [ -z "$state" ] || pg_receivewal --no-password --slot="$SLOT" --drop-slot
        # What was written meanwhile may be gone: what follows does not join what is here, and needs a whole copy.
        rm -f "$BACKUPS/base/newest"
        if [ -n "$(ls -A "$wal")" ]; then
            say "The database has not kept what was not received yet. A whole copy is made now."
            mv "$wal" "$wal.until-$(date -u +%Y%m%dT%H%M%SZ)"
            mkdir "$wal"
        fi
        pg_receivewal --no-password --slot="$SLOT" --create-slot
    fi
}

receive() { # until the position $1; without one, for ever
    wal_folder
    slot
    rm -rf "$TMP"
    exec pg_receivewal --no-password --no-loop --synchronous --slot="$SLOT" --directory="$wal" ${1:+"--endpos=$1"}
}

received() { # everything up to $1, waiting a little for what is on its way
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        there=$(sql --command="SELECT restart_lsn >= '$1' FROM pg_replication_slots WHERE slot_name = '$SLOT'")
        [ "$there" = t ] && return
        sleep 1
    done
    die "The database has written up to $1, and not all of it is here."
}

compress_wal() {
    find "$BACKUPS/wal" -type f -regex '.*/[0-9A-F]*' > "$TMP/whole"
    while read -r segment; do
        gzip --fast < "$segment" > "$TMP/segment.gz"
        touch -r "$segment" "$TMP/segment.gz"
        mv "$TMP/segment.gz" "$segment.gz"
        rm "$segment"
    done < "$TMP/whole"
}

# --- Private files -------------------------------------------------------------------------------------------------
# They never change under their name but when keys are rotated: pool/ has each once under its name, and what comes later
# under that name with its SHA-256 behind. files/known says what is there now, files/ledger.<day> what came and went, and
# the hash of each: restore.sh reads both.

look_at_files() {
    : "${PRIVATE_FILES:?Set PRIVATE_FILES.}"
    [ -d "$PRIVATE_FILES" ] || die "PRIVATE_FILES is no folder: $PRIVATE_FILES"
    began=$(date +%s)
    find "$PRIVATE_FILES" -ignore_readdir_race -path "$PRIVATE_FILES/incoming" -prune -o -type f \
        -printf "%P$TAB%s$TAB%T@$TAB%i\n" > "$TMP/found"
    ended=$(date +%s)
    awk -F"$TAB" '$1 ~ "^[0-9a-z]+/[0-9a-z]+$"' "$TMP/found" | sort > "$TMP/now"
    [ -f "$BACKUPS/files/known" ] || : > "$BACKUPS/files/known"
    awk -F"$TAB" 'FILENAME == ARGV[1] { known[$1 FS $2 FS $3 FS $4]; next } !($0 in known) { print $1 }' \
        "$BACKUPS/files/known" "$TMP/now" > "$TMP/fresh"

    # All new ones at once: a process for each would take minutes where there are thousands.
    : > "$TMP/again"
    while read -r name; do
        if [ -e "$BACKUPS/pool/$name" ]; then echo "$name" >> "$TMP/again"; else echo "$name"; fi
    done < "$TMP/fresh" > "$TMP/new"
    (cd "$PRIVATE_FILES" && tr '\n' '\0' < "$TMP/new" | xargs -0 --no-run-if-empty \
        cp --parents --preserve=timestamps --target-directory="$BACKUPS/pool") 2> "$TMP/complaints" || true
    while read -r name; do
        if [ -f "$BACKUPS/pool/$name" ]; then
            echo "$name"
        elif [ -e "$PRIVATE_FILES/$name" ]; then # else somebody has removed it meanwhile
            die "A private file cannot be copied: $(tail -n 1 "$TMP/complaints")"
        fi
    done < "$TMP/new" > "$TMP/copied"
    if grep -v 'No such file or directory' "$TMP/complaints" > "$TMP/serious"; then
        die "A private file cannot be copied: $(tail -n 1 "$TMP/serious")"
    fi
    (cd "$BACKUPS/pool" && tr '\n' '\0' < "$TMP/copied" | xargs -0 --no-run-if-empty sha256sum) > "$TMP/sums"
    while read -r name; do
        cp --preserve=timestamps "$PRIVATE_FILES/$name" "$TMP/one" 2> "$TMP/complaints" || {
            [ ! -e "$PRIVATE_FILES/$name" ] || die "A private file cannot be copied: $(tail -n 1 "$TMP/complaints")"
            continue
        }
        sum=$(sha256sum < "$TMP/one")
        mv "$TMP/one" "$BACKUPS/pool/$name.${sum%% *}"
        echo "${sum%% *}  $name" >> "$TMP/sums"
    done < "$TMP/again"
    [ ! -s "$TMP/sums" ] || sync --file-system "$BACKUPS/pool"

    # known: name, size, time, inode, sum. A file that was written anew while we copied it has another time than we
    # found: it is fresh once more the next time.
    awk -F"$TAB" -v OFS="$TAB" '
        FILENAME == ARGV[1] { split($0, part, "  "); sum[part[2]] = part[1]; next }
        FILENAME == ARGV[2] { known[$1 FS $2 FS $3 FS $4] = $5; next }
        $0 in known { print $0, known[$0]; next }
        $1 in sum { print $0, sum[$1] }
    ' "$TMP/sums" "$BACKUPS/files/known" "$TMP/now" > "$TMP/known"
    awk -F"$TAB" -v began="$began" -v ended="$ended" '
        FILENAME == ARGV[1] { old[$1] = $5; next }
        { now[$1] }
        ($1 in old) && old[$1] == $5 { next }
        $1 in old { print began, ended, "-", old[$1], $1 }
        { print began, ended, "+", $5, $1 }
        END { for (name in old) if (!(name in now)) print began, ended, "-", old[name], name }
    ' "$BACKUPS/files/known" "$TMP/known" > "$TMP/changes"
    cat "$TMP/changes" >> "$BACKUPS/files/ledger.$(date -u +%Y%m%d)"
    mv "$TMP/known" "$BACKUPS/files/known"
    changes=$(wc -l < "$TMP/changes")
    [ "$changes" -eq 0 ] || say "Private files: $changes changes, $(wc -l < "$BACKUPS/files/known") in all."
}

# The journal says what has been sent and who was forgotten. It must never go back in time with the database, so only
# its newest state is kept, for the day on which the whole machine is lost.
copy_journal() {
    if [ -n "${MAIL_JOURNAL:-}" ] && [ -d "$MAIL_JOURNAL" ]; then
        mkdir -p "$BACKUPS/journal"
        for _ in 1 2 3; do # what is being written anew may vanish under our hands
            cp -r --update --preserve=timestamps "$MAIL_JOURNAL/." "$BACKUPS/journal/" 2> "$TMP/complaints" && return
            sleep 1
        done
        die "The journal cannot be copied: $(tail -n 1 "$TMP/complaints")"
    fi
}

# --- The whole copy, once a day -------------------------------------------------------------------------------------

newest() { cat "$BACKUPS/base/newest" 2> /dev/null || true; }

fact() { sed -n "s/^$2=//p" "$BACKUPS/base/$1/facts"; }

is_fresh() { # the newest whole copy; one of before a restore is not
    last=$(newest)
    [ -n "$last" ] && [ "$(fact "$last" wal)" = "$(basename "$wal")" ] &&
        [ $(($(date +%s) - $(fact "$last" ended))) -lt $((BACKUP_BASE_HOURS * 3600)) ]
}

whole_copy() {
    wal_folder
    name=$(date -u +%Y%m%dT%H%M%SZ)
    copy="$BACKUPS/base/.$name"
    rm -rf "$BACKUPS"/base/.2*
    mkdir -p "$copy"
    say "A whole copy begins: $name"
    # From an hour before: a look that goes on at this moment writes its changes down only afterwards.
    printf 'files=%s\n' $(($(date +%s) - 3600)) > "$copy/facts"
    awk -F"$TAB" '{ print $5 "  " $1 }' "$BACKUPS/files/known" > "$copy/files"
    pg_basebackup --no-password --pgdata="$copy/cluster" --format=tar --gzip --wal-method=stream --checkpoint=fast \
        --manifest-checksums=SHA256 --label="presessions $name"
    mkdir "$TMP/check"
    tar --extract --gzip --file="$copy/cluster/base.tar.gz" --directory="$TMP/check"
    sed -n 's/.*"Path": "\([^"]*\)".*"Checksum": "\([0-9a-f]*\)".*/\2  \1/p' "$copy/cluster/backup_manifest" > "$copy/sums"
    (cd "$TMP/check" && sha256sum --check --quiet "$copy/sums") || die "The whole copy does not agree with its manifest."
    cp "$TMP/check/backup_label" "$TMP/label"
    rm -rf "$TMP/check"
    say "The database's files are here and agree with their manifest. The same as a dump, which any PostgreSQL reads:"
    pg_dump --no-password --format=custom --file="$copy/database.dump"
    pg_restore --list "$copy/database.dump" > /dev/null
    {
        printf 'wal=%s\nended=%s\n' "$(basename "$wal")" "$(date +%s)"
        sed -n 's/^START WAL LOCATION:.* (file \([0-9A-F]*\)).*/start=\1/p' "$TMP/label"
        printf 'until=%s\n' "$(sql --command='SELECT pg_walfile_name(pg_current_wal_insert_lsn())')"
    } >> "$copy/facts"
    grep -q '^start=' "$copy/facts" || die "The whole copy does not say where it begins."
    (cd "$copy" && find . -type f ! -name SHA256SUMS -exec sha256sum {} +) > "$copy/SHA256SUMS"
    sync --file-system "$BACKUPS"
    mv "$copy" "$BACKUPS/base/$name"
    printf '%s\n' "$name" > "$BACKUPS/base/newest"
    say "A whole copy is there: $name, $(size "$BACKUPS/base/$name")"
}

# Nothing is kept that is older than BACKUP_DAYS, so that what was erased is gone from here too by then. The newest whole
# copy always stays: better an old one than none.
expire() {
    oldest_allowed=$(($(date +%s) - BACKUP_DAYS * 86400))
    last=$(newest)
    for each in "$BACKUPS"/base/2*; do
        name=$(basename "$each")
        if [ "$name" != "$last" ] && [ "$(fact "$name" files)" -le "$oldest_allowed" ]; then
            rm -rf "$each"
            say "Older than $BACKUP_DAYS days, and removed: $name"
        fi
    done
    # The first whole copy that is left says from where on the rest is needed.
    first=$(find "$BACKUPS/base" -maxdepth 1 -name '2*' -printf '%f\n' | sort | head -n 1)
    needed=$(fact "$first" start | cut -c9-)
    here=$(fact "$first" wal)
    for folder in "$BACKUPS"/wal/*; do
        # Of other databases, and of what a restore has left behind, only what was written lately is of use.
        if [ "$(basename "$folder")" != "$here" ]; then
            find "$folder" -type f ! -name '*.history' ! -newermt "@$oldest_allowed" -delete
            rmdir "$folder" 2> /dev/null || true
            continue
        fi
        find "$folder" -type f ! -name '*.history' -printf '%f\n' |
            awk -v needed="$needed" 'substr($0, 9, 16) < needed' | (cd "$folder" && xargs --no-run-if-empty rm -f)
    done
    day=$(date -u -d "@$(fact "$first" files)" +%Y%m%d)
    for ledger in "$BACKUPS"/files/ledger.*; do
        [ "${ledger##*.}" -ge "$day" ] 2> /dev/null || rm -f "$ledger"
    done
    {
        awk -F"$TAB" '{ print $5, $1 }' "$BACKUPS/files/known"
        cat "$BACKUPS"/base/2*/files
        for ledger in "$BACKUPS"/files/ledger.*; do [ ! -f "$ledger" ] || awk '{ print $4, $5 }' "$ledger"; done
    } > "$TMP/wanted"
    find "$BACKUPS/pool" -type f -printf '%P\n' > "$TMP/pool"
    awk '
        FILENAME == ARGV[1] { pool[$1]; next }
        { wanted[(($2 "." $1) in pool) ? $2 "." $1 : $2] }
        END { for (file in pool) if (!(file in wanted)) print file }
    ' "$TMP/pool" "$TMP/wanted" > "$TMP/unwanted"
    (cd "$BACKUPS/pool" && tr '\n' '\0' < "$TMP/unwanted" | xargs -0 --no-run-if-empty rm)
    [ ! -s "$TMP/unwanted" ] || say "$(wc -l < "$TMP/unwanted") files that no backup names are removed."
    # The journal is copied and never cleared by that; who was forgotten stands in it for a year, and here no longer.
    find "$BACKUPS/journal" -path '*/tombstones/*.jsonl' -mtime +365 -delete 2> /dev/null || true
}

# --- All together ----------------------------------------------------------------------------------------------------

# $1 is empty when something else receives what the database writes, else `fetch`.
pass() {
    wal_folder
    if [ "${1:-}" = fetch ]; then
        # A byte less: the end itself is passed only when something more is written.
        sh "$ME" receive "$(sql --command="SELECT '$position'::pg_lsn - 1")"
    else
        received "$position"
    fi
    compress_wal
    look_at_files
    copy_journal
}

# Everything that was there at $1, in seconds, is here. The application turns red and tells staff when what it last heard
# is BACKUP_MINUTES old.
alive() {
    last=$(newest)
    [ -n "$last" ] || die "There is no whole copy yet."
    age=$(($(date +%s) - $(fact "$last" ended)))
    [ $age -le $(((BACKUP_BASE_HOURS + 2) * 3600)) ] || die "The newest whole copy is $((age / 3600)) hours old."
    sql --command="INSERT INTO mail_pulse (part, at) VALUES ('backup', to_timestamp($1))
        ON CONFLICT (part) DO UPDATE SET at = excluded.at"
}

only_one() {
    mkdir -p "$BACKUPS/base" "$BACKUPS/wal" "$BACKUPS/pool" "$BACKUPS/files" "$BACKUPS/tmp"
    exec 9> "$BACKUPS/lock"
    flock --nonblock 9 || die "Another backup is at work in $BACKUPS."
    rm -rf "$BACKUPS"/tmp/*
}

run() {
    receiver='' copier='' well='' not_before=0
    trap 'say "Stopping."; kill $receiver $copier 2> /dev/null || true; wait; exit 0' TERM INT
    say "Backups go to $BACKUPS; a whole copy every $BACKUP_BASE_HOURS hours, kept for $BACKUP_DAYS days."
    while :; do
        if [ -z "$receiver" ] || ! kill -0 "$receiver" 2> /dev/null; then
            [ -z "$receiver" ] || say "FAILED: What the database writes is received no more. It is tried again." >&2
            sh "$ME" receive 9>&- &
            receiver=$!
        fi
        if [ -n "$copier" ] && ! kill -0 "$copier" 2> /dev/null; then
            if wait "$copier"; then
                sh "$ME" expire
            else
                say "FAILED: The whole copy. It is tried again in ten minutes." >&2
                not_before=$(($(date +%s) + 600))
            fi
            copier=
        fi
        now=$(date +%s)
        if sh "$ME" pass; then
            if [ -z "$copier" ] && [ "$now" -ge "$not_before" ] && ! sh "$ME" fresh; then
                sh "$ME" base 9>&- &
                copier=$!
            elif [ -n "$(newest)" ] && sh "$ME" alive "$now"; then
                [ -n "$well" ] || say "All is well: what the database writes is received, files and a whole copy are here."
                well=yes
            fi
        else
            well=
        fi
        sleep "$BACKUP_SECONDS" &
        wait $!
    done
}

list() {
    for each in "$BACKUPS"/base/2*; do
        [ -d "$each" ] || die "There is no whole copy in $BACKUPS."
        printf '%s  %s, %s files\n' "$(basename "$each")" "$(size "$each")" "$(wc -l < "$each/files")"
    done
    printf 'In all %s in %s.\n' "$(size "$BACKUPS")" "$BACKUPS"
}

case "${1:-}" in
    run) only_one; run ;;
    once)
        only_one
        now=$(date +%s)
        sh "$ME" pass fetch
        sh "$ME" fresh || sh "$ME" base
        sh "$ME" expire
        sh "$ME" alive "$now"
        say "Done." ;;
    list) list ;;
    # The parts, each a process of its own: whatever goes wrong in one ends it there, and the others go on.
    receive | pass | base | fresh | expire | alive)
        mkdir "$TMP"
        trap 'rm -rf "$TMP"' EXIT
        case "$1" in
            base) whole_copy ;;
            fresh) wal_folder; is_fresh ;;
            *) "$@" ;;
        esac ;;
    *) sed -n '2,/^set -eu/{/^set/d;s/^# \{0,1\}//p}' "$ME"; exit 2 ;;
esac
