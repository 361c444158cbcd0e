"""M5. A day, or seventy, without beat or worker loses nothing, doubles nothing, and sends nothing that is stale.

That 1,000 letters are caught up within 60 s is `python -m benchmarks on_time`.
"""

from collections import Counter
from datetime import timedelta

import pytest

from presessions.mail import delivery
from presessions.mail.models import Letter, Mailing
from tests.mail.factories import LONG_BEFORE, make_mailing, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE


@pytest.mark.parametrize("days", [1, 70])
def test_half_of_them_past_their_end_the_others_go_once_and_those_never(sink, days):
    back = NOW + timedelta(days=days)
    good = [put(to=f"good{n}@example.org", not_after=back + timedelta(hours=1)) for n in range(15)]
    stale = [put(to=f"stale{n}@example.org", not_after=back - timedelta(hours=1)) for n in range(15)]
    assert delivery.drain(0, now=lambda: back) == {"sent": 15, "expired": 15}
    assert delivery.drain(0, now=lambda: back) == {}
    assert Counter(sink.recipients) == Counter(f"good{n}@example.org" for n in range(15))
    states = dict(Letter.objects.values_list("pk", "state"))
    assert {states[letter.pk] for letter in good} == {"sent"}
    assert {states[letter.pk] for letter in stale} == {"expired"}


def test_who_died_with_letters_in_hand_seventy_days_ago_left_none_behind(sink, settings):
    settings.MAIL_LEASE = -1  # over as soon as it begins
    offered, in_hand = put(not_after=NOW + timedelta(days=80)), put(not_after=NOW + timedelta(days=80))
    delivery.claim(NOW).mark(NOW)
    delivery.claim(NOW)
    settings.MAIL_LEASE = 900
    back = NOW + timedelta(days=70)
    assert delivery.drain(0, now=lambda: back) == {"sent": 1}
    delivery.drain(0, now=lambda: back + timedelta(minutes=15))
    assert [Letter.objects.get(pk=letter.pk).state for letter in (offered, in_hand)] == ["sent", "sent"]
    assert Letter.objects.filter(uncertain_at=None).count() == 1


@pytest.mark.parametrize(("days", "state", "reason", "letters"), [(1, "sending", "", 3), (70, "held", "pointless", 0)])
def test_a_mailing_that_came_due_meanwhile_goes_within_its_grace_and_else_waits_for_staff(
    sink, days, state, reason, letters
):
    mailing = make_mailing()
    back = mailing.due_at + timedelta(days=days)
    for _ in range(2):
        delivery.drain(0, now=lambda: back)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.held_reason) == (("done" if letters else state), reason)
    assert len(sink.mails) == letters == Letter.objects.filter(mailing=mailing, state="sent").count()
    assert not Mailing.objects.filter(state=Mailing.State.WRITING).exists()
