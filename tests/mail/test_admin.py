"""Staff see every timed mail before it goes and what became of it, and act by steps."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from presessions.mail import schedule
from presessions.mail.models import Letter, Mailing, PersonalLink, Switch
from presessions.mail.registry import Recipient
from presessions.trail.models import Event, Reason
from presessions.upr.models import State, StateUnderReview
from tests.accounts.factories import StaffFactory
from tests.mail.factories import LONG_BEFORE, geneva, make_mailing, make_series, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
DUE = geneva(2026, 11, 17, 9)
MAILINGS = "/admin/mail/mailing/"
LETTERS = "/admin/mail/letter/"


@pytest.fixture
def staff(client, user):
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def page(row):
    return reverse(f"admin:mail_{row._meta.model_name}_change", args=[row.pk])


def take(client, row, step, **typed):
    """Press a button on the row's page; what the next page says."""
    answer = client.post(page(row), {"step": step, **typed}, follow=True)
    row.refresh_from_db()
    return answer.content.decode()


def allowed(client, *codenames):
    """Log in a member of staff who may do just this."""
    someone = StaffFactory(is_superuser=False)
    someone.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(someone)
    return client


# --- Lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?q=x", "?q=54", "?q=%F0", "?q=a@b.example", "?eyes=all", "?eyes=waiting"])
@pytest.mark.parametrize("url", [MAILINGS, LETTERS])
def test_every_list_opens_whatever_is_asked(staff, url, query):
    make_series()
    put()
    assert staff.get(url + query, follow=True).status_code == 200


@pytest.mark.parametrize("url", [MAILINGS, f"{LETTERS}?eyes=all"])
def test_a_list_of_many_costs_what_a_list_of_one_costs(staff, url, django_assert_max_num_queries):
    def rows(number, first):
        for n in range(first, first + number):
            series = make_series(number=n)
            put(mailing=series.mailings.first())
            code = f"{n:02}"
            state = State.objects.create(iso2=code, iso3=f"X{code}", m49=code, name_en=code, regional_group="African")
            StateUnderReview.objects.create(session=series.session, state=state)
            series.add_meetings(now=NOW)
            series.mailings.create(kind="statement", anchor="meeting", meeting=series.meetings().get())

    def queries():
        with django_assert_max_num_queries(100) as counted:
            assert staff.get(url).status_code == 200
        return len(counted)

    rows(1, first=1)
    one = queries()
    rows(6, first=2)
    assert queries() == one


def test_the_timetable_says_when_to_whom_how_many_and_what_state(staff):
    make_mailing()
    schedule.write_due(DUE)
    Letter.objects.filter(recipient_id="1").update(state="sent")
    text = staff.get(MAILINGS).content.decode()
    assert "Tue 17 November 2026, 09:00 Geneva time" in text
    assert "every Permanent Mission" in text
    assert "waits for a date" in text  # the call has no deadline yet
    assert "1 of 3 sent" in text


@pytest.mark.parametrize("url", [MAILINGS, LETTERS])
def test_nothing_is_added_or_deleted_here(staff, url):
    mailing, letter = make_mailing(), put()
    row = mailing if url == MAILINGS else letter
    assert staff.get(f"{url}add/").status_code == 403
    assert staff.get(f"{url}{row.pk}/delete/").status_code == 403
    assert "action-checkbox" not in staff.get(url).content.decode()


# --- A mailing's page ---------------------------------------------------------------------------------------------


def test_the_page_explains_counts_and_shows_the_text_per_language_and_mints_nothing(staff, people):
    people.append(Recipient("mission", "4", to="quatre@example.org", language="fr"))
    text = staff.get(page(make_mailing())).content.decode()
    assert "1 month before the Working Group session would be Fri 18 December 2026" in text
    assert "to 4 · every Permanent Mission" in text
    assert "4 people not yet written to" in text
    assert text.count("Please open") == 2
    assert "[struck out]" in text
    assert "example.org" not in text.replace("UPR", "")
    assert (PersonalLink.objects.count(), Letter.objects.count()) == (0, 0)


def test_looking_changes_nothing(staff):
    mailing = make_mailing()
    before = Mailing.objects.values().get(pk=mailing.pk), Event.objects.count()
    staff.get(page(mailing))
    staff.head(page(mailing))
    assert (Mailing.objects.values().get(pk=mailing.pk), Event.objects.count()) == before


def test_the_page_opens_even_when_the_audience_cannot_be_listed(staff, timetable):
    def broken(mailing):
        raise RuntimeError("amina@example.org")

    timetable.mailing("gala", label="gala", audience="all", template="plain", days_before=("working_group", 9))(broken)
    text = staff.get(page(make_mailing("gala"))).content.decode()
    assert "The audience cannot be listed (RuntimeError)" in text
    assert "amina" not in text


def test_a_text_that_cannot_be_written_is_named_before_it_is_due(staff, timetable):
    texts = {"label": "gala", "audience": "all", "template": "named"}
    timetable.mailing("gala", days_before=("working_group", 9), **texts)(lambda mailing: [Recipient("m", "1", to="a")])
    assert "no variable name" in staff.get(page(make_mailing("gala"))).content.decode()


def test_moved_in_geneva_time_with_a_reason(staff, user):
    mailing = make_mailing()
    assert "Done." in take(staff, mailing, "move", moved_to="2026-11-20T15:30", reason="holiday")
    assert (mailing.due_at, mailing.decided_by) == (geneva(2026, 11, 20, 15, 30), "moved")
    assert Reason.objects.get().text == "holiday"
    assert Event.objects.about(mailing).last().staff_id == user.pk


def test_moved_to_in_two_minutes(staff):
    mailing = make_mailing()
    take(staff, mailing, "soon")
    assert mailing.due_at == NOW + timedelta(minutes=2)


@pytest.mark.parametrize("typed", [{}, {"moved_to": "soon"}])
def test_what_cannot_be_read_is_said_beside_the_field(staff, typed):
    mailing = make_mailing()
    assert "errorlist" in take(staff, mailing, "move", **typed)
    assert mailing.moved_to is None


def test_a_refused_step_says_why(staff):
    mailing = make_mailing()
    assert "cannot be moved into the past" in take(staff, mailing, "move", moved_to="2020-01-01T09:00")
    assert "is already planned" in take(staff, mailing, "resume")


def test_held_resumed_cancelled(staff):
    mailing = make_mailing()
    for step, state in (("hold", "held"), ("resume", "planned"), ("cancel", "cancelled")):
        take(staff, mailing, step)
        assert mailing.state == state


RULE = {"anchor": "working_group", "months": 2, "days": 0, "hour": 14, "latest_anchor": "", "latest_days": ""}


def test_the_rule_of_one_series_is_changed_and_its_date_with_it(staff):
    mailing = make_mailing()
    take(staff, mailing, "rule", **RULE)
    assert (mailing.due_at, mailing.decided_by) == (geneva(2026, 11, 18, 14), "rule")


@pytest.mark.parametrize(
    "wrong", [{"hour": 24}, {"anchor": "easter"}, {"latest_anchor": "first_meeting"}, {"latest_days": 3}]
)
def test_a_rule_that_makes_no_sense_is_refused_beside_its_field(staff, wrong):
    mailing = make_mailing()
    assert "errorlist" in take(staff, mailing, "rule", **RULE | wrong)
    assert (mailing.months, mailing.latest_anchor) == (1, "first_meeting")


def test_late_joiners_are_shown_and_caught_up_with_one_click(staff, people):
    mailing = make_mailing()
    schedule.write_due(DUE)
    people.append(Recipient("mission", "4", to="new@example.org"))
    assert "1 person not yet written to" in staff.get(page(mailing)).content.decode()
    take(staff, mailing, "catch_up")
    assert schedule.write_due(DUE) == 1


def test_unknown_steps_and_rows_are_not_found(staff):
    assert staff.post(page(make_mailing()), {"step": "delete"}).status_code == 404
    assert staff.get(f"{MAILINGS}999999/change/", follow=True).status_code == 404


# --- All mail -----------------------------------------------------------------------------------------------------


def test_all_mail_is_stopped_and_started_from_the_list(staff):
    url = reverse("admin:mail_switch")
    staff.post(url, {"step": "stop", "reason": "wrong list"})
    assert "All mail is stopped" in staff.get(MAILINGS).content.decode()
    staff.post(url, {"step": "start"})
    assert Switch.get().paused_at is None
    assert staff.get(url).status_code == 403


# --- Who may ------------------------------------------------------------------------------------------------------


def test_who_may_only_look_sees_no_button_and_takes_no_step(client):
    mailing, letter = make_mailing(), put()
    allowed(client, "view_mailing", "view_letter")
    for row, step in ((mailing, "hold"), (letter, "drop")):
        assert 'name="step"' not in client.get(page(row)).content.decode()
        assert client.post(page(row), {"step": step}).status_code == 403
    assert client.post(reverse("admin:mail_switch"), {"step": "stop"}).status_code == 403
    assert Mailing.objects.get(pk=mailing.pk).state == "planned"


def test_who_may_nothing_sees_nothing(client):
    mailing, letter = make_mailing(), put()
    allowed(client, "view_event")
    for url in (MAILINGS, LETTERS, page(mailing), page(letter)):
        assert client.get(url).status_code == 403


def test_strangers_are_asked_to_log_in(client):
    for url in (MAILINGS, LETTERS, page(make_mailing()), page(put())):
        assert client.get(url).status_code == 302
    assert client.post(reverse("admin:mail_switch"), {"step": "stop"}).status_code == 302


# --- Pages --------------------------------------------------------------------------------------------------------


def test_pages_carry_no_script_or_style_of_their_own(staff):
    mailing, letter = make_mailing(), put()
    for url in (MAILINGS, LETTERS, page(mailing), page(letter)):
        text = staff.get(url).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son\w+=", text)


def test_every_field_has_a_label_and_every_id_is_used_once(staff):
    for row in (make_mailing(), put()):
        text = staff.get(page(row)).content.decode()
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        fields = set(re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*\sid="([^"]+)"', text))
        fields -= {"nav-filter"}  # Django's own, with an aria-label
        assert fields <= set(re.findall(r'<label[^>]*for="([^"]+)"', text))
