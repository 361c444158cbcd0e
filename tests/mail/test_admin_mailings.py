"""Staff see every mailing before it goes, steer it by steps, and are asked before letters go."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from presessions.accounts import second_factor
from presessions.mail import schedule, steering, writing
from presessions.mail.admin import history
from presessions.mail.models import Letter, Mailing, PersonalLink, Switch, mailings
from presessions.mail.registry import Recipient
from presessions.trail.models import Event, Reason
from presessions.upr.models import State, StateUnderReview
from tests.accounts.factories import KEY, StaffFactory
from tests.accounts.logins import forget_proof
from tests.mail.factories import LONG_BEFORE, geneva, make_mailing, make_series, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
DUE = geneva(2026, 11, 17, 9)
MAILINGS = "/admin/mail/mailing/"
AS_ON = "/admin/mail/mailing/as-on/"


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


def agree(client, row, step, **typed):
    """Press the button, read the question, and press the button of the question; what the next page says."""
    asked = client.post(page(row), {"step": step, **typed})
    row.refresh_from_db()
    return take(client, row, step, seen=asked.context["question"].seen, **typed)


def question(client, row, step):
    return client.post(page(row), {"step": step}).content.decode()


def allowed(client, *codenames):
    """Log in a member of staff who may do just this."""
    someone = StaffFactory(is_superuser=False)
    someone.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(someone)
    return client


# --- Lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?q=x", "?q=54", "?q=%F0", "?q=a@b.example", "?state__exact=held"])
def test_the_list_opens_whatever_is_asked(staff, query):
    make_series()
    assert staff.get(MAILINGS + query, follow=True).status_code == 200


@pytest.mark.parametrize("url", [MAILINGS, AS_ON])
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


def test_it_says_in_numbers_what_was_sent_and_what_failed(staff):
    make_mailing()
    schedule.write_due(DUE)
    Letter.objects.filter(recipient_id="1").update(state="sent")
    Letter.objects.filter(recipient_id="2").update(state="failed")
    assert "1 of 3 sent, 1 failed" in staff.get(MAILINGS).content.decode()


def test_the_timetable_shows_what_is_next_what_is_held_and_why(staff):
    mailing = make_mailing()
    marks = dict(
        re.findall(r'<li class="([a-z ]*)">\s*<span class="when">([^<]*)', staff.get(MAILINGS).content.decode())
    )
    assert marks["due next"] == "Tue 17 November 2026, 09:00 Geneva time"
    Mailing.objects.filter(pk=mailing.pk).update(state="held", held_reason="late")
    assert "held: too late to go out by itself" in staff.get(MAILINGS).content.decode()


def test_a_series_whose_mailings_are_over_is_in_the_list_and_not_in_the_timetable(staff):
    make_mailing()
    Mailing.objects.update(state="done")
    text = staff.get(MAILINGS).content.decode()
    assert "timelines" not in text
    assert "invitation" in text


def test_nothing_is_added_or_deleted_here(staff):
    mailing = make_mailing()
    assert staff.get(f"{MAILINGS}add/").status_code == 403
    assert staff.get(f"{MAILINGS}{mailing.pk}/delete/").status_code == 403
    assert "action-checkbox" not in staff.get(MAILINGS).content.decode()


# --- A mailing's page ---------------------------------------------------------------------------------------------


def test_the_page_explains_counts_and_shows_the_text_and_mints_nothing(staff, people):
    people.append(Recipient("mission", "4", to="quatre@example.org", language="fr"))
    text = staff.get(page(make_mailing())).content.decode()
    assert "1 month before the Working Group session would be Fri 18 December 2026" in text
    assert "to 4 · every Permanent Mission" in text
    assert "4 people not yet written to" in text
    assert "Please open" in text
    assert "[struck out]" in text
    assert "example.org" not in text.replace("@example.org. Its personal links", "").replace("UPR", "")
    assert (PersonalLink.objects.count(), Letter.objects.count()) == (0, 0)


def test_everybody_of_the_audience_is_named_as_their_room_names_them(staff, people, timetable):
    timetable.recipient("mission", label=lambda letters: {letter.recipient_id: "Kenya" for letter in letters})
    people[:] = people[:1]
    assert re.search(r"<li>Kenya <span[^>]*>en", staff.get(page(make_mailing())).content.decode())


def test_a_long_audience_is_leafed_through(staff, people):
    people[:] = [Recipient("mission", str(number), to=f"m{number}@example.org") for number in range(450)]
    mailing = make_mailing()
    first, last = (staff.get(page(mailing), {"people": n}).content.decode() for n in (1, 3))
    assert "mission 199 " in first and "mission 200 " not in first
    assert "mission 449 " in last and "Page 3 of 3" in last


def test_its_html_is_shown_in_a_frame_that_may_do_nothing(staff):
    mailing = make_mailing()
    frame = reverse("admin:mail_mailing_text", args=[mailing.pk, "en"])
    assert re.search(rf'<iframe[^>]* sandbox [^>]*src="{frame}"', staff.get(page(mailing)).content.decode())
    shown = staff.get(frame)
    assert shown["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "Please open" in shown.content.decode()
    assert not PersonalLink.objects.exists()


def test_a_language_without_a_translation_is_named_with_its_readers(staff, people, timetable):
    people.append(Recipient("mission", "4", to="quatre@example.org", language="ar"))
    texts = {"label": "gala", "audience": "all", "template": "translated"}
    timetable.mailing("gala", days_before=("working_group", 9), **texts)(lambda mailing: people)
    text = staff.get(page(make_mailing("gala"))).content.decode()
    assert re.search(r"العربية</bdi> · 1 reader ·[^·]*not translated", text)
    assert "A word that nobody has translated" in text


def test_looking_changes_nothing(staff):
    mailing = make_mailing()
    before = Mailing.objects.values().get(pk=mailing.pk), Event.objects.count()
    for url in (page(mailing), MAILINGS, AS_ON, reverse("admin:mail_mailing_text", args=[mailing.pk, "en"])):
        staff.get(url)
        staff.head(url)
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


@pytest.mark.parametrize("typed", [{}, {"moved_to": "soon"}])
def test_what_cannot_be_read_is_said_beside_the_field(staff, typed):
    mailing = make_mailing()
    assert "errorlist" in take(staff, mailing, "move", **typed)
    assert mailing.moved_to is None


def test_a_refused_step_says_why(staff):
    mailing = make_mailing()
    assert "cannot be moved into the past" in take(staff, mailing, "move", moved_to="2020-01-01T09:00")
    assert "is already planned" in take(staff, mailing, "resume")


def test_held_and_let_go_again_before_its_hour_without_a_question(staff):
    mailing = make_mailing()
    for step, state in (("hold", "held"), ("resume", "planned")):
        assert "Done." in take(staff, mailing, step)
        assert mailing.state == state


# --- Questions before letters go ------------------------------------------------------------------------------------


def test_a_move_that_is_refused_loses_nothing_that_was_typed(staff):
    mailing = make_mailing()
    text = take(staff, mailing, "move", moved_to="2026-01-05T09:00", reason="the hall is taken")
    assert "cannot be moved into the past" in text
    assert 'value="2026-01-05T09:00"' in text
    assert 'value="the hall is taken"' in text
    text = take(staff, mailing, "move", moved_to="", reason="the hall is taken")
    assert 'value="the hall is taken"' in text


@pytest.mark.parametrize("at", ["9999-12-30T09:00", "2100-01-01T00:00", "1989-12-31T09:00"])
def test_a_mailing_is_moved_within_the_years_that_can_be_planned(staff, at):
    mailing = make_mailing()
    assert "Please give a day between 1990 and 2100." in take(staff, mailing, "move", moved_to=at)
    assert mailing.moved_to is None


def test_send_now_asks_first_how_many_to_whom_and_when(staff):
    mailing = make_mailing()
    text = question(staff, mailing, "send_now")
    assert "Send the invitation to 3 · every Permanent Mission now?" in text
    assert "Pre-sessions 54" in text
    assert "It goes out at once: Mon 5 January 2026, 10:00 Geneva time." in text
    assert Mailing.objects.get(pk=mailing.pk).due_at == DUE
    assert "It is going out now." in agree(staff, mailing, "send_now", reason="asked for")
    assert (mailing.due_at, mailing.state) == (NOW, "planned")
    assert Reason.objects.get().text == "asked for"


def test_agreed_to_other_numbers_staff_are_asked_again(staff, people):
    mailing = make_mailing()
    seen = staff.post(page(mailing), {"step": "send_now"}).context["question"].seen
    people.append(Recipient("mission", "4", to="new@example.org"))
    text = take(staff, mailing, "send_now", seen=seen)
    assert "Something has changed since you looked" in text
    assert "to 4 ·" in text
    assert mailing.due_at == DUE


def test_let_go_late_or_to_many_it_asks(staff, people):
    mailing = make_mailing()
    mailing.hold(by=None, now=NOW)
    people[:] = [Recipient("mission", str(number), to=f"m{number}@example.org") for number in range(51)]
    assert "Let the invitation go to 51 · every Permanent Mission?" in question(staff, mailing, "resume")
    people[:] = people[:50]
    take(staff, mailing, "resume")
    assert mailing.state == "planned"
    mailing.hold(by=None, now=NOW)
    with time_machine.travel(DUE + timedelta(hours=2), tick=False):
        staff.force_login(StaffFactory())
        text = question(staff, mailing, "resume")
    assert "It was to go out Tue 17 November 2026, 09:00 Geneva time, and goes out at once." in text


def test_letters_go_to_many_by_whoever_has_just_proved_who_it_is(staff):
    mailing = make_mailing()
    forget_proof(staff)
    asked = staff.post(page(mailing), {"step": "send_now", "reason": "asked for"})
    seen = asked.context["question"].seen  # a look at what would go asks for nothing
    locked = staff.post(page(mailing), {"step": "send_now", "reason": "asked for", "seen": seen})
    assert "Is it still you?" in locked.content.decode()
    assert {("step", "send_now"), ("reason", "asked for"), ("seen", seen)} <= set(locked.context["carried"])
    assert Mailing.objects.get(pk=mailing.pk).due_at == DUE
    code = second_factor.code_at(KEY, NOW)
    assert "It is going out now." in take(staff, mailing, "send_now", reason="asked for", seen=seen, proof_code=code)
    assert mailing.due_at == NOW


def test_nobody_is_asked_for_a_code_before_letters_are_stopped(staff):
    mailing = make_mailing()
    forget_proof(staff)
    agree(staff, mailing, "cancel")
    assert mailing.state == "cancelled"


def test_cancelled_for_good_after_a_question(staff):
    mailing = make_mailing()
    assert "would not get it, ever" in question(staff, mailing, "cancel")
    agree(staff, mailing, "cancel")
    assert mailing.state == "cancelled"


def test_late_joiners_are_shown_and_caught_up_with_after_a_question(staff, people):
    mailing = make_mailing()
    schedule.write_due(DUE)
    people.append(Recipient("mission", "4", to="new@example.org"))
    assert "1 person not yet written to" in staff.get(page(mailing)).content.decode()
    assert "Send the invitation to 1 · every Permanent Mission who have joined since?" in question(
        staff, mailing, "catch_up"
    )
    agree(staff, mailing, "catch_up")
    assert schedule.write_due(DUE) == 1


# --- The rule of a series -------------------------------------------------------------------------------------------

RULE = {"months": 2, "days": 0, "side": "before", "anchor": "working_group", "hour": 14, "latest_anchor": ""}


def see(client, row, **typed):
    return client.post(page(row), {"step": "see_rule", **typed})


def test_what_a_rule_would_do_is_said_in_words_before_it_is_saved(staff):
    mailing = make_mailing()
    shown = see(staff, mailing, **RULE, reason="as asked")
    text = shown.content.decode()
    assert "2 months before the Working Group session: goes out Wed 18 November 2026, 14:00 Geneva time" in text
    assert "That is 27 days before the first meeting." in text
    assert "Save this rule" in text
    assert 'value="as asked"' in text
    assert Mailing.objects.get(pk=mailing.pk).hour == 9
    take(staff, mailing, "rule", **RULE, seen=shown.context["rule_form"].seen)
    assert (mailing.due_at, mailing.decided_by) == (geneva(2026, 11, 18, 14), "rule")
    assert (mailing.latest_anchor, mailing.latest_days) == ("", None)


def test_what_was_changed_after_looking_is_shown_first(staff):
    mailing = make_mailing()
    seen = see(staff, mailing, **RULE).context["rule_form"].seen
    text = take(staff, mailing, "rule", **RULE | {"hour": 15}, seen=seen)
    assert "15:00 Geneva time" in text
    assert mailing.hour == 9


def test_at_the_latest_can_be_switched_off_whatever_number_stands_beside_it(staff):
    mailing = make_mailing()
    shown = see(staff, mailing, **RULE | {"latest_days": 28})
    take(staff, mailing, "rule", **RULE | {"latest_days": 28}, seen=shown.context["rule_form"].seen)
    assert mailing.latest_days is None


def test_a_rule_may_count_from_after_a_date(staff):
    mailing = make_mailing()
    rule = RULE | {"months": 0, "days": 3, "side": "after", "anchor": "last_meeting"}
    take(staff, mailing, "rule", **rule, seen=see(staff, mailing, **rule).context["rule_form"].seen)
    assert (mailing.days, mailing.due_at) == (-3, geneva(2026, 12, 20, 14))
    assert 'value="3"' in staff.get(page(mailing)).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"hour": 24}, {"anchor": "easter"}, {"latest_anchor": "first_meeting"}, {"months": -1}, {"anchor": "meeting"}],
)
def test_a_rule_that_makes_no_sense_is_refused_beside_its_field_and_stays_typed(staff, wrong):
    mailing = make_mailing()
    text = take(staff, mailing, "see_rule", **RULE | {"days": 17} | wrong)
    assert "errorlist" in text
    assert 'value="17"' in text
    assert "Save this rule" not in text
    assert (mailing.months, mailing.latest_anchor) == (1, "first_meeting")


# --- Freeze and look, test to myself, two persons ---------------------------------------------------------------------


def test_written_to_be_looked_at_the_page_leads_to_the_letters_and_lets_them_go_or_back(staff):
    mailing = make_mailing()
    assert "will be held" in take(staff, mailing, "freeze")
    schedule.write_due(NOW)
    text = staff.get(page(mailing)).content.decode()
    assert "held: written, to be looked at before it goes" in text
    assert f"mailing__id__exact={mailing.pk}&amp;state__exact=pending" in text
    for words in ("Let it go", "Throw these letters away and plan again", "Send now"):
        assert words in text
    take(staff, mailing, "thaw")
    assert (mailing.state, Letter.objects.count()) == ("planned", 0)


def test_a_date_that_changed_after_the_letters_were_written_is_warned_of(staff, timetable):
    timetable.mailing(
        "gala",
        label="gala",
        audience="all",
        template="plain",
        days_before=("working_group", 9),
        tells=lambda mailing, at: {"first": at("first_meeting")},
    )(lambda mailing: [Recipient("mission", "1", to="a@example.org")])
    mailing = make_mailing("gala")
    take(staff, mailing, "freeze")
    schedule.write_due(NOW)
    assert "A date has changed" not in staff.get(page(mailing)).content.decode()
    mailing.series.reschedule(now=NOW, first_day=date(2026, 12, 16), last_day=date(2026, 12, 17))
    assert "A date has changed since its letters were written" in staff.get(page(mailing)).content.decode()
    text = agree(staff, mailing, "send_now")
    assert "It is going out now" not in text
    assert mailing.moved_to is None


def test_a_test_goes_to_whoever_asks_for_it(staff, user):
    mailing = make_mailing()
    assert "on its way to you" in take(staff, mailing, "test", language="en")
    assert Letter.objects.get().to == user.email
    assert "less than a minute ago" in take(staff, mailing, "test", language="en")
    assert staff.post(page(mailing), {"step": "test", "language": "tlh"}).status_code == 404


def test_two_persons_are_offered_their_buttons_in_turn(staff, client, settings):
    settings.MAIL_TWO_PERSONS_ABOVE = 2
    mailing = make_mailing()
    text = staff.get(page(mailing)).content.decode()
    assert "More than 2 people: one of you must approve it, and another release it." in text
    assert 'value="release"' not in text
    take(staff, mailing, "approve")
    assert 'value="release"' in staff.get(page(mailing)).content.decode()
    assert "was approved by you" in agree(staff, mailing, "release")
    client.force_login(StaffFactory())
    agree(client, mailing, "release")
    assert mailing.two_persons_agreed
    assert "released by" in staff.get(page(mailing)).content.decode()


def test_the_history_says_in_words_who_did_what_and_why(staff, user):
    mailing = make_mailing()
    take(staff, mailing, "hold", reason="wrong list")
    text = staff.get(page(mailing)).content.decode()
    assert re.search(rf'Held · {user.name}\s*<br><q dir="auto">wrong list</q>', text)


def test_every_event_of_a_mailing_has_words(staff):
    source = (
        Path(mailings.__file__).read_text() + Path(steering.__file__).read_text() + Path(writing.__file__).read_text()
    )
    codes = set(re.findall(r'(?:refuse|_step|_redate|trail\.record)\((?:mailing, |self, )?"([a-z_]+)"', source))
    assert {"hold", "thaw", "approval_ended"} <= codes
    assert codes - history.WORDS.keys() == set()
    assert {f"held_{reason}" for reason in Mailing.Held.values} - history.WORDS.keys() <= {
        "held_staff", "held_look", "held_proposed",
    }  # fmt: skip


# --- As on another day ------------------------------------------------------------------------------------------------


def test_as_on_another_day_says_what_would_have_gone_goes_and_comes(staff):
    mailing = make_mailing()
    before = Mailing.objects.values().get(pk=mailing.pk)
    text = staff.get(AS_ON, {"at": "2026-11-17T10:00"}).content.decode()
    assert re.search(
        r"Goes out that day, by then</h2>.*Invitation.*3 people as of today.*Held|Still to come", text, re.S
    )
    assert staff.get(AS_ON, {"at": "2026-11-17T08:00"}).context["day"] == []
    assert [row.row.mailing.kind for row in staff.get(AS_ON, {"at": "2026-12-01T08:00"}).context["groups"]["gone"]] == [
        "invitation"
    ]
    assert Mailing.objects.values().get(pk=mailing.pk) == before
    assert not Letter.objects.exists()


@pytest.mark.parametrize("typed", ["soon", "0001-01-01T00:00", "9999-12-31T23:59", ""])
def test_a_day_that_is_none_is_said_beside_the_field(staff, typed):
    make_series()
    answer = staff.get(AS_ON, {"at": typed})
    assert (answer.status_code, "errorlist" in answer.content.decode()) == (200, True)


def test_a_day_is_looked_at_and_never_posted(staff):
    assert staff.post(AS_ON, {"at": "2026-11-17T10:00"}).status_code == 405


def test_unknown_steps_and_rows_are_not_found(staff):
    assert staff.post(page(make_mailing()), {"step": "delete"}).status_code == 404
    assert staff.get(f"{MAILINGS}999999/change/", follow=True).status_code == 404


# --- All mail -----------------------------------------------------------------------------------------------------


def test_all_mail_is_stopped_and_started_from_the_list(staff):
    url = reverse("admin:mail_switch")
    staff.post(url, {"step": "stop", "reason": "wrong list"})
    text = staff.get(MAILINGS).content.decode()
    assert "All mail is stopped" in text
    assert "wrong list" in text
    staff.post(url, {"step": "start"})
    assert Switch.get().paused_at is None
    assert staff.get(url).status_code == 403


def test_a_restored_database_is_compared_first_and_not_simply_started(staff):
    Switch.get()
    Switch.objects.update(paused_at=NOW, code="restored", answer="older")
    text = staff.get(MAILINGS).content.decode()
    assert reverse("admin:mail_restored") in text
    assert "Start all mail" not in text
    assert staff.post(reverse("admin:mail_switch"), {"step": "start"}).url == reverse("admin:mail_restored")
    assert Switch.get().paused_at == NOW


# --- Who may ------------------------------------------------------------------------------------------------------


def test_who_may_only_look_sees_no_button_and_takes_no_step(client):
    mailing = make_mailing()
    allowed(client, "view_mailing")
    for url in (page(mailing), MAILINGS, AS_ON):
        assert 'name="step"' not in client.get(url).content.decode()
    assert client.post(page(mailing), {"step": "hold"}).status_code == 403
    assert client.post(reverse("admin:mail_switch"), {"step": "stop"}).status_code == 403
    assert Mailing.objects.get(pk=mailing.pk).state == "planned"


def test_who_may_nothing_sees_nothing(client):
    mailing = make_mailing()
    allowed(client, "view_event")
    for url in (MAILINGS, AS_ON, page(mailing), reverse("admin:mail_mailing_text", args=[mailing.pk, "en"])):
        assert client.get(url).status_code == 403


def test_strangers_are_asked_to_log_in(client):
    mailing = make_mailing()
    for url in (MAILINGS, AS_ON, page(mailing), reverse("admin:mail_mailing_text", args=[mailing.pk, "en"])):
        assert client.get(url).status_code == 302
    assert client.post(reverse("admin:mail_switch"), {"step": "stop"}).status_code == 302


# --- Pages --------------------------------------------------------------------------------------------------------


def pages(client, mailing):
    yield from (client.get(url).content.decode() for url in (MAILINGS, AS_ON, page(mailing)))
    yield question(client, mailing, "send_now")
    yield see(client, mailing, **RULE).content.decode()


def test_pages_carry_no_script_or_style_of_their_own(staff):
    for text in pages(staff, make_mailing()):
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son\w+=", text)


def test_every_field_has_a_label_and_every_id_is_used_once(staff):
    for text in pages(staff, make_mailing()):
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        fields = set(re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*\sid="([^"]+)"', text))
        fields -= {"nav-filter", "searchbar"}  # Django's own
        assert fields <= set(re.findall(r'<label[^>]*for="([^"]+)"', text))
