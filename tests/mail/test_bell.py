"""The bell: what Beat names exists, takes nothing, and does what a system timer does."""

import importlib
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from presessions.celery import app
from presessions.mail import delivery, steering, tasks, telling
from presessions.mail.leaving import leaving
from presessions.mail.models import Alarm, Mailing
from tests.mail.factories import make_mailing, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]


def test_every_task_that_beat_names_exists_and_takes_no_arguments():
    assert app.conf.beat_schedule
    for entry in app.conf.beat_schedule.values():
        room, name = entry["task"].rsplit(".", 1)
        task = getattr(importlib.import_module(room), name)
        assert task.name == entry["task"]
        assert not entry.get("args")
        assert not entry.get("kwargs")
        assert entry["options"]["expires"] < entry["schedule"]
        assert task.ignore_result


def test_a_ring_sends_for_most_of_the_minute_until_the_next(monkeypatch):
    rung = []
    monkeypatch.setattr(delivery, "drain", lambda seconds, stop, hands: rung.append((seconds, stop)))
    tasks.send_due_letters()
    assert rung == [(50, leaving)]


def test_a_chore_that_fails_keeps_no_letter_back(monkeypatch, sink):
    monkeypatch.setattr(telling, "look", lambda now: 1 / 0)
    put(now=timezone.now())
    assert tasks.ring(0, stop=leaving) == {"sent": 1}


def test_a_notice_that_fails_keeps_no_alarm_back(monkeypatch, sink):
    mailing = make_mailing()
    Mailing.objects.filter(pk=mailing.pk).update(state="held", held_reason="second")
    monkeypatch.setattr(steering, "give_notice", lambda now: 1 / 0)
    tasks.ring(0, stop=leaving)
    assert Alarm.objects.filter(code=f"held:{mailing.pk}", ended_at=None).exists()


def test_no_task_outlives_a_lease_and_no_lease_ends_inside_a_task_s_limit(settings):
    assert app.conf.task_time_limit > settings.MAIL_LEASE


def test_the_command_says_what_it_did_and_to_nobody_whom(sink):
    put(now=timezone.now()), put(now=timezone.now())
    said = StringIO()
    call_command("send_due", "--once", stdout=said)
    assert said.getvalue() == "2 sent\n"
    call_command("send_due", "--seconds", "0", stdout=said)
    assert said.getvalue().endswith("nothing was due\n")
