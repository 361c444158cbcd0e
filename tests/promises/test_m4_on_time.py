"""M4. Letters leave on time: all that is due in one go, the most urgent first, whatever else waits.

The minutes of it (6,000 due at once before a slow server, and 500 single letters) are `python -m benchmarks on_time`.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from presessions.mail import delivery
from presessions.mail.models import Letter
from presessions.mail.registry import Priority
from tests.mail.factories import LONG_BEFORE, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
SECOND = timedelta(seconds=1)


def drain(now=NOW):
    return delivery.drain(0, now=lambda: now)


def write(number, priority, due_at=NOW):
    return [put("note", to=f"p{n}@{priority}-{n}.example", priority=priority, due_at=due_at) for n in range(number)]


def test_all_that_is_due_leaves_in_one_go_the_most_urgent_first(sink):
    write(20, Priority.BULK, NOW - timedelta(days=1))
    write(5, Priority.SOON)
    write(5, Priority.NOW)
    assert drain() == {"sent": 30}
    urgency = [int(address.split("@")[1].split("-")[0]) for address in sink.recipients]
    assert urgency == [0] * 5 + [5] * 5 + [9] * 20


def test_who_waits_for_a_link_does_not_wait_for_a_mailing_that_is_under_way(sink, monkeypatch):
    write(10, Priority.BULK)
    send, late = delivery.send, []

    def send_and_be_asked(*args):
        if not late:
            late.append(put("note", to="link@example.org"))
        return send(*args)

    monkeypatch.setattr(delivery, "send", send_and_be_asked)
    drain()
    assert sink.recipients.index("link@example.org") == 1


def test_a_letter_leaves_at_the_first_look_after_it_is_due(sink):
    letter = put(due_at=NOW + SECOND)
    assert drain(NOW + SECOND - timedelta(microseconds=1)) == {}
    assert drain(NOW + SECOND) == {"sent": 1}
    assert Letter.objects.get(pk=letter.pk).sent_at == NOW + SECOND


def test_a_letter_costs_two_commits_however_many_are_due(sink):
    """One says that it will be handed over, one what became of it, and which is next."""
    costs = []
    for number in (1, 6):
        write(number, Priority.BULK)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            drain()
        costs.append(len([query for query in queries if query["sql"].startswith("EXECUTE")]))
    assert costs[1] - costs[0] == 5 * 2
