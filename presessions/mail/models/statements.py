"""What every letter goes through, one SQL statement each: taken, marked, closed. Room: mail; imports nothing of ours.

One statement is one round trip and one commit, and the server finishes it even when its caller is killed or put to
sleep, so no lock ever waits for a sleeper. Each change of a letter leaves its row in mail_attempt in the same breath.
All of it is here; everything rarer is `Letter.step`.
"""

import re
from weakref import WeakKeyDictionary

from django.db import connection

TYPES = {
    "answer": "bytea",
    "attempts": "integer",
    "bulk": "integer",
    "burst": "interval",
    "code": "text",
    "gap": "interval",
    "id": "bigint",
    "lease": "interval",
    "lease_token": "uuid",
    "new_lease": "uuid",
    "now": "timestamptz",
    "pace": "boolean",
    "trial": "boolean",
    "turn_lasts": "interval",
}

# Take the most urgent due letter under a lease. A letter of a mailing first takes a turn among those of its domain; if
# that lies ahead, it is put off until then and comes back marked `paced`. So each is put off once, and nobody ever
# walks over those that wait. Who missed a turn, as after a day without workers, takes another.
_TAKE = """
next AS (
    SELECT letter.id, (SELECT state FROM mail_mailing WHERE id = letter.mailing_id) AS mailing_state,
           letter.priority >= %(bulk)s AND letter.domain_index <> '' AND %(pace)s
               AND NOT (letter.paced AND letter.next_attempt_at > %(now)s - %(turn_lasts)s) AS wants_turn,
           letter.domain_index
    FROM mail_letter letter
    WHERE letter.state IN ('pending', 'deferred') AND letter.next_attempt_at <= %(now)s
      AND (SELECT state FROM mail_mailing WHERE id = letter.mailing_id) IS DISTINCT FROM 'held'
      AND (%(trial)s OR NOT EXISTS (SELECT FROM mail_switch WHERE paused_at IS NOT NULL))
      AND letter.id <> %(id)s
    ORDER BY letter.priority, letter.next_attempt_at
    LIMIT 1
    FOR UPDATE OF letter SKIP LOCKED
), turn AS (
    INSERT INTO mail_pace AS pace (domain_index, free_at)
    SELECT domain_index, %(now)s + %(gap)s FROM next WHERE wants_turn
    ON CONFLICT (domain_index) DO UPDATE SET free_at = greatest(pace.free_at, %(now)s) + %(gap)s
    RETURNING free_at - %(gap)s - %(burst)s AS at
), put_off AS (
    UPDATE mail_letter letter SET next_attempt_at = turn.at, paced = true
    FROM next, turn WHERE letter.id = next.id AND turn.at > %(now)s
), taken AS (
    UPDATE mail_letter letter
    SET state = 'sending', phase = 'claimed', last_code = '', attempts = letter.attempts + 1, paced = false,
        lease_token = %(new_lease)s, lease_until = statement_timestamp() + %(lease)s
    FROM next WHERE letter.id = next.id AND NOT EXISTS (SELECT FROM turn WHERE at > %(now)s)
    RETURNING letter.*
), taken_noted AS (
    INSERT INTO mail_attempt (letter_id, at, number, state, phase, code, answer)
    SELECT id, %(now)s, attempts, state, phase, '', '' FROM taken
)"""

# Close a letter that a server has taken. One that slept past its lease and was given up may still tell the truth, if
# nobody has tried since.
_CLOSE = """
closed AS (
    UPDATE mail_letter
    SET state = 'sent', phase = '', last_code = %(code)s, sent_at = %(now)s, next_attempt_at = NULL,
        lease_token = NULL, lease_until = NULL, frozen = ''
    WHERE id = %(id)s AND (
        (state = 'sending' AND lease_token = %(lease_token)s)
        OR (state IN ('deferred', 'uncertain') AND attempts = %(attempts)s)
    )
    RETURNING id, attempts, mailing_id
), closed_noted AS (
    INSERT INTO mail_attempt (letter_id, at, number, state, phase, code, answer)
    SELECT id, %(now)s, attempts, 'sent', '', %(code)s, %(answer)s FROM closed
)"""

_CLOSED = "(SELECT count(*) FROM closed), (SELECT failed_in_a_row FROM mail_mailing m JOIN closed ON mailing_id = m.id)"
_TAKEN = "next.id, next.mailing_state, {columns} FROM (VALUES (1)) one LEFT JOIN next ON true LEFT JOIN taken ON true"

TAKE = f"WITH {_TAKE} SELECT {_TAKEN}"
CLOSE = f"WITH {_CLOSE} SELECT {_CLOSED}"
# Both in one commit: half the waiting for the disk, and never a moment in which one has happened without the other.
CLOSE_AND_TAKE = f"WITH {_CLOSE}, {_TAKE} SELECT {_CLOSED}, {_TAKEN}"

# Commit that the bytes are about to be handed over. Nothing moves, and nothing may be handed over, when the lease was
# lost, or when staff have stopped this mailing or all mail, or its last moment has come, since the letter was taken.
MARK = """
WITH marked AS (
    UPDATE mail_letter letter SET phase = 'data', lease_until = statement_timestamp() + %(lease)s
    WHERE id = %(id)s AND state = 'sending' AND phase = 'claimed' AND lease_token = %(lease_token)s
      AND not_after >= %(now)s
      AND NOT EXISTS (SELECT FROM mail_mailing WHERE id = letter.mailing_id AND state IN ('held', 'cancelled'))
      AND NOT EXISTS (SELECT FROM mail_switch WHERE paused_at IS NOT NULL AND probe_at IS NULL)
    RETURNING id, attempts
)
INSERT INTO mail_attempt (letter_id, at, number, state, phase, code, answer)
SELECT id, %(now)s, attempts, 'sending', 'data', '', '' FROM marked
RETURNING letter_id
"""


_prepared = WeakKeyDictionary()  # connection to the server -> {statement: how to run it there}


def ask(statement, values):
    """Run one of them; returns its only row, or None."""
    with connection.cursor() as cursor:
        known = _prepared.setdefault(connection.connection, {})
        if statement not in known:
            known[statement] = _prepare(cursor, statement, f"letter_{len(known)}")
        cursor.execute(known[statement], values)
        return cursor.fetchone()


def plan(statement, values):
    """How the server would go about it, without doing it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", values)
        return [line for (line,) in cursor.fetchall()]


def _prepare(cursor, statement, name):
    """Let the server plan a statement once for each connection: planning takes it longer than all the rest."""
    values = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${values.index(found[1]) + 1}", statement)
    cursor.execute(f"PREPARE {name} ({', '.join(map(TYPES.get, values))}) AS {numbered}")
    return f"EXECUTE {name} ({', '.join(f'%({value})s' for value in values)})"
