"""An idle tick and a claim beside 1,000,000 settled letters, as a ratio to the same beside none; and the plans.

What the bell asks each second must not grow with what has been sent. The bar is "equal within noise".
TICK_LETTERS=100000 for fewer.
"""

import os
import statistics

from benchmarks.lists import work_of
from benchmarks.room import room, write

OLD = int(os.environ.get("TICK_LETTERS", "1000000"))
TIMES = 200


def main():
    with room():
        from django.db import connection

        empty = measure()
        print(f"tick: {fill():,} settled letters and three attempts of each tenth put beside")
        full = measure()
        for what in empty:
            spread = max(empty[what]) / min(empty[what])
            ratio = statistics.median(full[what]) / statistics.median(empty[what])
            print(
                f"tick: {what}: {statistics.median(empty[what]):.2f} ms beside none, "
                f"{statistics.median(full[what]):.2f} ms beside {OLD:,}: ratio {ratio:.2f} (noise up to {spread:.2f})"
            )
        for name, lines in plans().items():
            print(f"tick: plan of {name}\n" + "\n".join(f"    {line}" for line in lines))
        connection.close()


def measure():
    """Milliseconds of processor time of each thing, five times the median of many: {what: [five]}"""
    from django.utils import timezone

    from presessions.mail import delivery, schedule
    from presessions.mail.models import Letter

    def idle():
        now = timezone.now()
        schedule.write_due(now)
        delivery.recover(now)
        delivery.claim(now)

    def claim():
        letter = Letter.take(timezone.now())
        letter.mark(timezone.now())
        letter.close(timezone.now(), "250", "ok")

    times = {"an idle tick": [], "a letter claimed, marked and closed": []}
    idle()
    for _ in range(5):
        write(TIMES // 5, about="tick")
        times["a letter claimed, marked and closed"].append(timed(claim, TIMES // 5))
        times["an idle tick"].append(timed(idle, TIMES))
    return times


def timed(work, number):
    """Processor time, ours and the database's, which other work on the machine does not change."""
    from django.db import connection

    took = []
    for _ in range(number):
        began = work_of(connection)
        work()
        took.append(work_of(connection) - began)
    return statistics.median(took)


def fill():
    """Old letters, like one that has been sent; statistics as autovacuum keeps them."""
    from django.db import connection

    from presessions.mail.models import Letter

    columns = [field.column for field in Letter._meta.fields if field.column not in ("id", "key", "message_id")]
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO mail_letter (key, message_id, {names}) "
            f"SELECT 'old:' || n, n || '@old.example', {names} "
            "FROM (SELECT * FROM mail_letter WHERE state = 'sent' LIMIT 1) one, generate_series(1, %s) n",
            [OLD],
        )
        number = cursor.rowcount
        cursor.execute(
            "INSERT INTO mail_attempt (letter_id, at, number, state, phase, code, answer) "
            "SELECT id, created_at, 1, 'sent', '', '250', '' FROM mail_letter, generate_series(1, 3) "
            "WHERE mod(id, 10) = 0"
        )
        cursor.execute("VACUUM ANALYZE mail_letter")
        cursor.execute("ANALYZE mail_attempt")
    return number


def plans():
    """How PostgreSQL would do what the bell asks for, beside all of them."""
    from django.db import connection
    from django.db.models.functions import Now
    from django.utils import timezone

    from presessions.mail.models import Letter, Mailing

    found = {"claim": Letter.plan_of_take(timezone.now())}
    lost = Letter.objects.filter(state="sending", lease_until__lt=Now()).defer(*Letter.SEALED)
    found["recover"] = lost[:100].explain().splitlines()
    active = Mailing.objects.filter(state__in=["planned", "writing", "sending"], due_at__lte=timezone.now())
    found["write_due"] = active.values_list("pk", "state").explain().splitlines()
    found["is a mailing done"] = Letter.objects.filter(mailing=1).unsettled()[:1].explain().splitlines()
    connection.close()
    return found
