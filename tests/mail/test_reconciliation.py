"""The books are balanced every night: whoever was not reached is counted under the reason why, or raises an alarm."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from presessions.mail import reconciliation, registry, telling
from presessions.mail.models import Alarm, Letter, Mailing
from presessions.mail.reconciliation import balance, reconcile_due
from presessions.mail.registry import Recipient
from tests.mail.factories import geneva, make_mailing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

WENT = geneva(2026, 11, 17, 9)
EVENING = geneva(2026, 11, 17, 22)
NIGHT = geneva(2026, 11, 18, 3)


@pytest.fixture
def mailing():
    """An invitation that has gone."""
    mailing = make_mailing()
    gone = {"state": Mailing.State.DONE, "writing_at": WENT, "written_at": WENT, "done_at": WENT}
    Mailing.objects.filter(pk=mailing.pk).update(**gone)
    mailing.refresh_from_db()
    return mailing


@pytest.fixture
def person(mailing, people):
    """Add somebody to the audience, with a letter in this state, or without one."""
    people.clear()

    def add(state=None, *, since=WENT - timedelta(days=30), **facts):
        number = str(len(people))
        people.append(Recipient("mission", number, to=f"m{number}@example.org", since=since))
        if state:
            letter = {"kind": mailing.kind, "mailing": mailing, "recipient_kind": "mission", "recipient_id": number}
            times = {"created_at": WENT, "due_at": WENT, "not_after": WENT + timedelta(days=7)}
            facts = {"next_attempt_at": WENT, "to_index": "", **times, **facts}
            key = f"invitation:{mailing.pk}:mission:{number}/{facts.get('copy', 1)}"
            return Letter.objects.create(key=key, state=state, **letter, **facts)
        return None

    return add


@pytest.mark.parametrize(
    ("state", "facts", "reason"),
    [
        ("pending", {}, "waiting"),
        ("deferred", {}, "waiting"),
        ("sending", {"next_attempt_at": None}, "waiting"),
        ("uncertain", {}, "uncertain"),
        ("failed", {}, "failed"),
        ("bounced", {}, "bounced"),
        ("expired", {}, "expired"),
        ("cancelled", {"last_code": "unwanted"}, "unwanted"),
        ("cancelled", {"last_code": "drop"}, "dropped"),
        (None, {"since": WENT + timedelta(hours=1)}, "later"),
        (None, {"since": None}, "later"),
    ],
)
def test_each_one_who_was_not_reached_is_counted_under_a_reason(mailing, person, state, facts, reason):
    person("sent")
    person(state, **facts)
    found = balance(mailing, NIGHT)
    assert (found.expected, found.reached, found.reasons, found.unexplained) == (2, 1, {reason: 1}, ())
    ((number, words),) = found.in_words
    assert number == 1
    assert str(words)


@pytest.mark.parametrize(
    ("state", "facts"),
    [
        (None, {}),  # was there when the letters were written, and has none
        ("pending", {"next_attempt_at": None}),  # no bell will ever find it
        ("deferred", {"not_after": WENT - timedelta(days=3)}),  # should long have been called too late
    ],
)
def test_whom_nothing_explains_raises_an_alarm_that_names_the_mailing(mailing, person, state, facts, user):
    person("sent")
    person(state, **facts)
    reconcile_due(NIGHT)
    mailing.refresh_from_db()
    assert (mailing.reconciled_at, mailing.unreached) == (NIGHT, 1)
    assert balance(mailing, NIGHT).unexplained == (("mission", "1"),)
    assert Alarm.objects.get().code == f"unreached:{mailing.pk}"
    telling.tell(NIGHT)
    assert str(mailing.series) in Letter.objects.get(kind="alarm").kept


def test_the_alarm_ends_the_night_after_the_last_one_was_reached(mailing, person):
    letter = person("pending", next_attempt_at=None)
    reconcile_due(NIGHT)
    Letter.objects.filter(pk=letter.pk).update(state="sent")
    reconcile_due(NIGHT + timedelta(days=1))
    assert Alarm.objects.get().ended_at == NIGHT + timedelta(days=1)


def test_who_was_reached_by_any_copy_was_reached(mailing, person, people):
    person("bounced")
    first = people[0]
    people.clear()
    person("sent", copy=2)
    assert people == [first]
    assert balance(mailing, NIGHT).reached == 1


def test_those_without_an_address_are_part_of_the_sum_unless_they_were_reached_while_they_had_one(
    mailing, person, people
):
    person("sent"), person("sent")
    del people[1]  # its address was struck out since
    registry.without_address("invitation")(lambda mailing, now: [("mission", "1"), ("mission", "7"), ("mission", "8")])
    found = balance(mailing, NIGHT)
    assert (found.expected, found.reached, found.reasons, found.unexplained) == (4, 2, {"address": 2}, ())


def test_it_is_done_once_a_night_after_three_in_geneva_for_what_went_before(mailing, person):
    person("sent")
    for hour, compared in ((EVENING, None), (NIGHT, NIGHT), (NIGHT + timedelta(hours=20), NIGHT)):
        reconcile_due(hour)
        mailing.refresh_from_db()
        assert mailing.reconciled_at == compared
    reconcile_due(NIGHT + timedelta(days=1, minutes=5))
    mailing.refresh_from_db()
    assert mailing.reconciled_at == NIGHT + timedelta(days=1, minutes=5)


def test_nothing_is_compared_before_it_went_or_long_after_the_working_group(mailing, person):
    person()
    Mailing.objects.exclude(pk=mailing.pk).update(state=Mailing.State.PLANNED)
    reconcile_due(geneva(2027, 6, 1, 4))  # the Working Group ended in January
    assert not Alarm.objects.exists()


def divide_by_zero(mailing):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")


@pytest.mark.parametrize("audience", [lambda mailing: 1 / 0, divide_by_zero])
def test_an_audience_that_cannot_be_listed_is_an_alarm_and_stops_no_other_comparison(
    mailing, person, monkeypatch, audience
):
    monkeypatch.setattr(Mailing, "people", audience)
    reconcile_due(NIGHT)
    mailing.refresh_from_db()
    assert (mailing.reconciled_at, mailing.unreached) == (NIGHT, None)
    assert Alarm.objects.get().code == f"unreached:{mailing.pk}"


def test_while_the_database_is_away_nothing_is_said_of_any_mailing(mailing, person, monkeypatch):
    def gone_away(mailing):
        raise OperationalError

    monkeypatch.setattr(Mailing, "people", gone_away)
    with pytest.raises(OperationalError):
        reconcile_due(NIGHT)
    assert not Alarm.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_compares(mailing, person, monkeypatch):
    person("sent")
    compared, honest = [], balance

    def slowly(mailing, now):
        compared.append(mailing.pk)
        return honest(mailing, now)

    monkeypatch.setattr(reconciliation, "balance", slowly)

    def work(_number):
        try:
            reconcile_due(NIGHT)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as workers:
        list(workers.map(work, range(6)))
    assert compared == [mailing.pk]
