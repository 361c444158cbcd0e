"""What staff see of alarms: the red box on the desk, the list with the signs of life, the page of one alarm."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from presessions.mail import watch
from presessions.mail.models import Alarm, Letter, Mailing, Pulse
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.mail.factories import LONG_BEFORE as NOW
from tests.mail.factories import make_mailing, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]


@pytest.fixture
def staff(client, user):
    client.force_login(user)
    return client


def test_the_desk_shows_what_is_wrong_and_leads_there(staff):
    letter = put()
    Letter.objects.filter(pk=letter.pk).update(state="uncertain")
    mailing = make_mailing()
    Mailing.objects.filter(pk=mailing.pk).update(state="held", held_reason="late")
    watch.alarm(f"held:{mailing.pk}", now=NOW)
    page = staff.get(reverse("admin:index")).content.decode()
    assert "The mail needs somebody" in page
    assert "1 letter may or may not have arrived" in page
    assert f"Held, and waiting for staff: {mailing} (too late to go out by itself)." in page
    assert reverse("admin:mail_mailing_change", args=[mailing.pk]) in page


def test_the_desk_shows_nothing_of_the_mail_to_who_may_not_see_it(client):
    person = StaffFactory(is_superuser=False)
    person.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(person)
    watch.alarm("restored", now=NOW)
    assert "The mail needs somebody" not in client.get(reverse("admin:index")).content.decode()
    assert client.get(reverse("admin:mail_restored")).status_code == 403
    assert client.get(reverse("admin:mail_alarm_changelist")).status_code == 403


def test_the_list_shows_the_signs_of_life(staff):
    watch.seen("bell", NOW)
    page = staff.get(reverse("admin:mail_alarm_changelist")).content.decode()
    assert "a worker heard the bell</dt><dd>Mon 5 January 2026, 10:00 Geneva time" in page
    assert "the mail server answered</dt><dd>never" in page


def test_staff_end_an_alarm_that_nobody_else_ends_and_a_second_click_is_refused(staff):
    watch.alarm("unreached:7", now=NOW, detail="Two of them.")
    alarm = Alarm.objects.get()
    path = reverse("admin:mail_alarm_change", args=[alarm.pk])
    assert "Two of them." in staff.get(path).content.decode()
    staff.post(path, {"step": "end", "reason": "telephoned"})
    alarm.refresh_from_db()
    assert alarm.ended_at
    assert [event.code for event in Event.objects.about(alarm)] == ["end"]
    assert staff.post(path, {"step": "end"}).status_code == 404
    assert "End this alarm" not in staff.get(path).content.decode()


def test_looking_changes_nothing(staff):
    watch.alarm("restored", now=NOW)
    for name in ("index", "mail_alarm_changelist", "mail_restored"):
        staff.get(reverse(f"admin:{name}"))
    assert not Pulse.objects.exists()
    assert Alarm.objects.get().ended_at is None
    assert not Letter.objects.exists()
