"""How long what is kept: each rule at its very day, all of them carried out at night, and staff who do not wait."""

import json
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse
from django.utils import timezone

from applications import erasure, figures, seat
from applications.models import Application, Contact, Needs, Organisation, Panel, Speaker
from missions import retention as of_missions
from missions.models import Colleague, Delegate, FloorQuestion, Invitation, MissionAddress
from presessions import retention
from presessions.accounts.models import Try
from presessions.mail import links, restoring, watch
from presessions.mail.models import Alarm, Letter, LinkVisit, Report
from presessions.mail.retention import look
from presessions.retention import running, tombstones
from presessions.retention.models import Run
from presessions.trail.models import Event, Reason
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from presessions.upr.models import Series, WorkingGroupSession
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, ContactFactory, StateCallFactory
from tests.missions.factories import MissionFactory
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

RULES = retention.RULES
DAY = timedelta(days=1)
SERIES_IS_OVER, REVIEW_IS_OVER = date(2026, 4, 16), date(2026, 5, 15)  # as the factories have it
DEADLINE = geneva(date(2026, 3, 23))


def due(name, moment):
    return set(RULES[name].due(moment))


def after(day, days):
    """The first instant of the day so many days later."""
    return geneva(day + timedelta(days=days))


@pytest.fixture(autouse=True)
def on_monday():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def kenya():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))


# --- The rules --------------------------------------------------------------------------------------------------------


def test_every_rule_has_its_days_and_every_number_of_days_its_rule(settings):
    assert set(RULES) == set(retention.ORDER) == set(settings.KEEP_DAYS)
    for rule in retention.rules():
        assert str(rule.days) in rule.in_words
        assert str(rule.what) and rule.stays is not None


def test_days_that_are_no_rule_or_no_number_keep_everything_from_starting(settings):
    settings.KEEP_DAYS = {**settings.KEEP_DAYS, "not_chosen": 3, "drafts": 0}
    wrong = " ".join(retention.wrong_days())
    assert "“not_chosen”, which is no rule" in wrong
    assert "0 days for “drafts”" in wrong


@pytest.mark.parametrize("status", ["submitted", "waitlisted", "declined", "withdrawn"])
def test_who_was_not_selected_is_kept_thirty_days_after_the_last_day_of_the_series(kenya, status):
    withdrawn = {"submitted": True} if status == "withdrawn" else {}
    application = ApplicationFactory(state_call=kenya, **withdrawn, **{status: True})
    assert due("not_selected", after(SERIES_IS_OVER, 31) - timedelta(seconds=1)) == set()
    assert due("not_selected", after(SERIES_IS_OVER, 31)) == {application}
    assert RULES["not_selected"].next_at(MONDAY) == after(SERIES_IS_OVER, 31)
    assert due("selected", after(REVIEW_IS_OVER, 400)) == set()


@pytest.mark.parametrize("status", ["accepted", "confirmed"])
def test_who_had_a_seat_is_kept_ninety_days_after_the_working_group(kenya, status):
    application = ApplicationFactory(state_call=kenya, **{status: True})
    assert due("selected", after(REVIEW_IS_OVER, 91) - timedelta(seconds=1)) == set()
    assert due("selected", after(REVIEW_IS_OVER, 91)) == {application}
    assert due("not_selected", after(REVIEW_IS_OVER, 400)) == set()


def test_a_draft_is_kept_thirty_days_after_its_own_deadline(kenya):
    draft = ApplicationFactory(state_call=kenya)
    assert due("drafts", DEADLINE + 30 * DAY) == set()
    assert due("drafts", DEADLINE + 30 * DAY + timedelta(seconds=1)) == {draft}
    kenya.extend(DEADLINE + 5 * DAY, now=MONDAY)
    assert due("drafts", DEADLINE + 31 * DAY) == set()


def test_while_a_date_is_not_known_nothing_is_forgotten_and_the_page_says_how_many_wait(kenya):
    application = ApplicationFactory(state_call=kenya, accepted=True)
    session = kenya.meeting.state_under_review.session
    type(session).objects.update(starts_on=None, ends_on=None)
    assert due("selected", after(REVIEW_IS_OVER, 4000)) == set()
    assert list(RULES["selected"].without_date()) == [application]
    type(session).objects.update(starts_on=date(2026, 5, 4))  # its end is two weeks later
    assert due("selected", after(date(2026, 5, 18), 91)) == {application}


def test_a_year_that_was_mistyped_erases_nobody_before_the_meeting_and_the_deadline(kenya):
    for status in ("submitted", "accepted"):
        ApplicationFactory(state_call=kenya, **{status: True})
    Series.objects.update(first_day=date(2025, 4, 13), last_day=date(2025, 4, 16))
    WorkingGroupSession.objects.update(starts_on=date(2025, 5, 4), ends_on=date(2025, 5, 15))
    met_on = kenya.meeting.starts_at.date()
    assert due("not_selected", after(met_on, 30)) == due("selected", after(met_on, 90)) == set()
    type(kenya.meeting).objects.update(starts_at=None)
    last = (DEADLINE - timedelta(seconds=1)).date()
    assert due("not_selected", after(last, 30)) == due("selected", after(last, 90)) == set()
    assert len(due("not_selected", after(last, 32)) | due("selected", after(last, 92))) == 2


def test_a_sign_up_that_nobody_confirms_goes_after_a_week_and_one_that_is_repeated_counts_anew():
    contact = ContactFactory(confirmed=False)
    assert due("contacts_unconfirmed", MONDAY + 7 * DAY) == set()
    assert due("contacts_unconfirmed", MONDAY + 8 * DAY) == {contact}
    Contact.sign_up(email=contact.email, language="en", states=[], now=MONDAY + 6 * DAY)
    assert due("contacts_unconfirmed", MONDAY + 8 * DAY) == set()
    running.run(RULES["contacts_unconfirmed"], MONDAY + 14 * DAY)
    assert not Contact.objects.exists()
    assert set(Letter.objects.values_list("to_index", flat=True)) == {""}


def test_one_that_is_confirmed_at_the_same_moment_stays():
    contact = ContactFactory(confirmed=False)
    stale = Contact.objects.get()
    contact.confirm(now=MONDAY)
    stale.give_up(now=MONDAY)
    assert Contact.objects.get().is_confirmed


def test_needs_and_notes_go_thirty_days_after_the_meeting(kenya):
    application = ApplicationFactory(state_call=kenya, accepted=True)
    needs = Needs.objects.create(application=application, saved_at=MONDAY)
    panel, _new = Panel.objects.update_or_create(meeting=kenya.meeting, defaults={"note": "She is nervous."})
    met_on = kenya.meeting.starts_at.date()
    assert due("needs", after(met_on, 31) - timedelta(seconds=1)) == due("notes", after(met_on, 30)) == set()
    assert (due("needs", after(met_on, 31)), due("notes", after(met_on, 31))) == ({needs}, {panel})
    application.withdraw(now=MONDAY)
    Needs.objects.create(application=application, saved_at=MONDAY)  # as one that slipped through
    assert RULES["needs"].due(MONDAY).count() == 1


def test_a_passport_does_not_wait_for_the_hour_of_a_meeting_that_never_had_one(kenya):
    needs = Needs.objects.create(application=ApplicationFactory(state_call=kenya, accepted=True), saved_at=MONDAY)
    panel, _new = Panel.objects.update_or_create(meeting=kenya.meeting, defaults={"note": "She is nervous."})
    type(kenya.meeting).objects.update(starts_at=None)
    Series.objects.update(first_day=None, last_day=None)
    assert due("needs", after(REVIEW_IS_OVER, 30)) == due("notes", after(REVIEW_IS_OVER, 30)) == set()
    assert (due("needs", after(REVIEW_IS_OVER, 31)), due("notes", after(REVIEW_IS_OVER, 31))) == ({needs}, {panel})


def test_of_a_mission_its_answers_stay_and_its_people_go(kenya):
    mission, now = MissionFactory(iso2="KE"), after(REVIEW_IS_OVER, 91)
    invitation = Invitation.objects.create(mission=mission, series=kenya.meeting.series, created_at=MONDAY, note="Ours")
    for position in (1, 2):
        Delegate.objects.create(invitation=invitation, name="Mr K.", function="Counsellor", position=position)
        facts = {"name": "Ms O.", "email": f"o{position}@example.org", "passed_on_at": MONDAY}
        Colleague.objects.create(invitation=invitation, **facts)
    asked = {"meeting": kenya.meeting, "noted_at": MONDAY, "received_at": MONDAY}
    FloorQuestion.objects.create(key="7c9a1c6e-0000-4000-8000-000000000001", words="Why?", **asked)
    assert due("delegates", now - timedelta(seconds=1)) == set()
    assert due("delegates", now) == {invitation}
    for name in ("delegates", "questions"):
        assert running.run(RULES[name], now).rows == 1
        assert due(name, now) == set()
    assert set(Delegate.objects.values_list("name", "function")) == {("", "")}
    assert set(Colleague.objects.values_list("name", "email", "email_index")) == {("", "", "")}
    assert (Delegate.objects.count(), Colleague.objects.count(), FloorQuestion.objects.count()) == (2, 2, 1)
    of_missions.forget(invitation, now=now)  # again is no harm


def test_what_a_mission_writes_after_its_session_was_put_off_is_not_forgotten_by_an_old_tombstone(
    kenya, django_capture_on_commit_callbacks
):
    invitation = Invitation.objects.create(mission=MissionFactory(), series=kenya.meeting.series, created_at=MONDAY)
    with django_capture_on_commit_callbacks(execute=True):
        of_missions.forget(invitation, now=after(REVIEW_IS_OVER, 91))
    Invitation.objects.update(note="We come with three.")
    assert [line.name for line in tombstones.standing()] == [invitation.reference]  # as a restored backup has it
    WorkingGroupSession.objects.update(ends_on=REVIEW_IS_OVER + 60 * DAY)
    assert tombstones.standing() == []


def test_an_address_that_has_ended_goes_unless_it_is_the_only_one():
    mission, ended = MissionFactory(iso2="KE", email="one@example.org"), date(2026, 1, 31)
    MissionAddress.objects.update(valid_until=ended)
    assert due("addresses", after(ended, 1000)) == set()
    MissionAddress.objects.create(mission=mission, email="two@example.org", position=2)
    assert due("addresses", after(ended, 90)) == set()
    (old,) = due("addresses", after(ended, 91))
    assert old.email == "one@example.org"


def test_a_letter_gives_up_its_words_after_a_year_and_its_link_still_leads_off_the_list(client):
    contact = ContactFactory()
    letter = Letter.objects.filter(recipient_id=contact.reference).latest("pk")
    token = links.mint("leave", contact.reference, letter=letter, now=MONDAY)
    Letter.objects.update(state="sent", sent_at=MONDAY)
    assert due("letters", MONDAY + 365 * DAY) == set()
    running.run(RULES["letters"], MONDAY + 366 * DAY)
    letter.refresh_from_db()
    assert (letter.to, letter.kept, letter.to_index, letter.state) == ("", "", "", "sent")
    assert client.post(reverse("applications:contact_leave", args=[token]), {}).status_code == 200
    assert not Contact.objects.confirmed().exists()


def test_who_asked_for_a_link_and_has_none_is_known_for_a_week():
    Application.send_links_again("nobody@example.org", language="en", now=MONDAY)
    Letter.objects.update(state="sent", sent_at=MONDAY)
    assert due("visitors", MONDAY + 7 * DAY) == set()
    running.run(RULES["visitors"], MONDAY + 8 * DAY)
    assert Letter.objects.get().to == ""


def test_visits_to_invitations_are_counted_and_stay():
    letter = Letter.objects.get(recipient_id=ContactFactory().reference)
    for purpose in ("invitation", "colleague", "application", "leave"):
        links.mint(purpose, "K7QF2-9MXA4", letter=letter, now=MONDAY)
        link = links.PersonalLink.objects.latest("pk")
        LinkVisit.objects.create(link=link, at=MONDAY, method="GET", maybe_filter=False)
    running.run(RULES["visits"], MONDAY + 91 * DAY)
    assert set(LinkVisit.objects.values_list("link__purpose", flat=True)) == {"invitation", "colleague"}


@pytest.mark.parametrize(("handled", "days"), [(True, 90), (False, 365)])
def test_a_mail_in_the_inbox_goes_once_it_is_dealt_with_and_after_a_year_at_the_latest(handled, days):
    read = {"read_at": MONDAY, "verdict": "unknown", "text": "I was threatened."}
    report = Report.objects.create(fingerprint="f", handled_at=MONDAY if handled else None, **read)
    assert due("reports", MONDAY + days * DAY) == set()
    assert due("reports", MONDAY + days * DAY + timedelta(seconds=1)) == {report}


def test_a_former_member_of_staff_is_forgotten_two_years_after_the_last_trace():
    staff, other = StaffFactory(name="Ada Keller"), StaffFactory()
    type(staff).objects.update(joined_at=MONDAY)
    assert due("staff", MONDAY + 4000 * DAY) == set()  # active
    type(staff).objects.filter(pk=staff.pk).update(is_active=False)
    application = ApplicationFactory(submitted=True)
    application.prepare("accept", by=staff, now=MONDAY + 10 * DAY, reason="She is good.")
    assert due("staff", MONDAY + 740 * DAY) == set()
    now = MONDAY + 741 * DAY
    assert due("staff", now) == {staff}
    running.run(RULES["staff"], now)
    staff.refresh_from_db()
    assert (staff.name, staff.email) == (f"#{staff.pk}", f"{staff.pk}@former.invalid")
    assert not staff.has_usable_password()
    application.refresh_from_db()
    assert application.prepared_by == staff
    with pytest.raises(ValueError, match="inactive"):
        other.forget(now=now)


def test_why_something_was_done_is_forgotten_after_two_years_and_that_it_was_done_is_not():
    application = ApplicationFactory(submitted=True)
    application.prepare("decline", by=StaffFactory(), now=MONDAY, reason="Too late.")
    events = Event.objects.count()
    running.run(RULES["reasons"], MONDAY + 731 * DAY)
    assert (Reason.objects.count(), Event.objects.count()) == (0, events)


def test_sessions_tries_and_details_of_alarms_go(client):
    Session.objects.create(session_key="k", session_data="d", expire_date=MONDAY)
    Try.objects.create(door="code", who="w", where="h", at=MONDAY)
    watch.alarm("files", now=MONDAY, detail="a name")
    watch.ended("files", now=MONDAY)
    for name in ("sessions", "tries", "alarms"):
        running.run(RULES[name], MONDAY + 91 * DAY)
    assert (Session.objects.count(), Try.objects.count(), Alarm.objects.get().detail) == (0, 0, "")


# --- What stays of an application -------------------------------------------------------------------------------------


def test_two_seats_of_one_institution_are_still_one_in_the_figures_when_nobody_knows_which(kenya):
    turkiye = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="TR")))
    one = {"confirmed": True, "name": "Rights Now", "scope": "international"}
    pair = [ApplicationFactory(state_call=call, **one) for call in (kenya, turkiye)]
    ApplicationFactory(state_call=kenya, confirmed=True, name="Another")
    register = Organisation.objects.get(pk=pair[0].organisation_id)
    assert pair[1].organisation == register
    Speaker.objects.update(gender="woman")
    series = kenya.meeting.series
    before = figures.of(series)
    assert len(before.total.institutions) == 2
    for application in Application.objects.order_by("pk"):
        erasure.forget(application, now=MONDAY)
        after_one = figures.of(series)
        assert after_one.sentences() == before.sentences()
        assert len(after_one.total.institutions) == 2
    assert not Organisation.objects.exists()


def test_what_is_forgotten_of_a_seat_is_published_no_more_and_can_be_changed_no_more(kenya):
    application = ApplicationFactory(state_call=kenya, confirmed=True, consents=["name"])
    seat.publish_again(application, {"name"}, now=MONDAY + DAY)
    assert application.cleared_items() == {"name"}
    erasure.forget(application, now=MONDAY)
    assert (application.status, application.kind, application.name, application.cleared_items()) == (
        "confirmed", "cso", "", set(),
    )  # fmt: skip
    with pytest.raises(WrongStep, match="is erased"):
        application.withdraw(now=MONDAY)
    erasure.forget(application, now=MONDAY)  # again is no harm
    assert application.kind == "cso"


def test_many_of_one_state_are_forgotten_though_no_address_tells_them_apart(kenya):
    for _number in range(3):
        erasure.forget(ApplicationFactory(state_call=kenya, declined=True), now=MONDAY)
    assert Application.objects.filter(email_index="", status="declined").count() == 3


# --- At night ---------------------------------------------------------------------------------------------------------


def test_the_round_takes_place_once_a_day_after_four_in_geneva_and_is_missed_after_two_days(on_monday):
    early, four = geneva(date(2026, 3, 2), 3), geneva(date(2026, 3, 2), 4)
    assert not running.is_due(early)
    assert running.night_if_due(early) is None
    assert running.night_if_due(four) == (0, 0)
    assert running.night_if_due(four + timedelta(hours=12)) is None
    assert running.next_round(four) == four + DAY
    for later, late in ((48, False), (49, True)):
        look(four + timedelta(hours=later))
        assert Alarm.objects.filter(code="forgetting", ended_at=None).exists() == late
    running.night(four + timedelta(hours=50))
    look(four + timedelta(hours=50))
    assert not Alarm.objects.filter(code="forgetting", ended_at=None).exists()


def test_one_that_cannot_be_forgotten_keeps_no_other_and_is_an_alarm(kenya, monkeypatch):
    stuck, free = (ApplicationFactory(state_call=kenya, declined=True) for _number in range(2))
    forget, now = erasure.forget, after(SERIES_IS_OVER, 40)
    monkeypatch.setattr(erasure, "forget", lambda one, now: 1 / 0 if one == stuck else forget(one, now=now))
    assert running.night(now) == (1, 1)
    free.refresh_from_db()
    assert free.erased_at == now
    look(now)
    assert Alarm.objects.filter(code="forgetting", ended_at=None).exists()


def test_a_machine_on_which_no_round_ever_took_place_is_an_alarm_too(kenya):
    MigrationRecorder.Migration.objects.filter(app="retention").update(applied=MONDAY)
    for later, late in ((48, False), (49, True)):
        look(MONDAY + timedelta(hours=later))
        assert Alarm.objects.filter(code="forgetting", ended_at=None).exists() == late


def test_a_clock_that_leaps_erases_nobody_until_staff_have_looked(kenya, on_monday):
    ApplicationFactory(state_call=kenya, declined=True)
    running.night(MONDAY)
    leapt = MONDAY + 365 * DAY
    assert running.night_if_due(leapt) is None
    assert Application.objects.get().erased_at is None
    look(leapt)
    assert Alarm.objects.filter(code="forgetting", ended_at=None).exists()
    on_monday.move_to(leapt)  # it was right: the machine had been away
    call_command("forget", stdout=StringIO())
    assert Application.objects.get().erased_at
    look(leapt)
    assert not Alarm.objects.filter(code="forgetting", ended_at=None).exists()
    assert running.night_if_due(leapt + DAY) == (0, 0)


@pytest.mark.parametrize("broken", ["catch_up", "again", "expire"])
def test_tombstones_that_cannot_be_read_keep_no_rule_and_are_an_alarm(kenya, monkeypatch, broken):
    ApplicationFactory(state_call=kenya, declined=True)
    monkeypatch.setattr(tombstones, broken, lambda now, **facts: Path("/dev/null/x").read_text())
    now = after(SERIES_IS_OVER, 40)
    assert running.night(now) == (1, 1)
    assert Application.objects.get().erased_at == now
    look(now)
    assert Alarm.objects.filter(code="forgetting", ended_at=None).exists()


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\x00",
        b'{"kind": "contact", "name": "K7QF2-9MXA4", "at": "2026-01-01T00:00:00+00:00"}',
        b'{"kind": "withdrawn", "name": ["K7QF2-9MXA4"], "at": "2026-01-01T00:00:00+00:00"}',
        b'{"kind": "withdrawn", "name": "K7QF2-9MXA4", "at": "2026-01-01T00:00:00"}',
    ],
)
def test_a_tombstone_that_is_broken_keeps_no_other_from_counting(kenya, line):
    withdrawn = ApplicationFactory(state_call=kenya, submitted=True)
    good = {"kind": "withdrawn", "name": withdrawn.reference, "at": MONDAY.isoformat()}
    folder = Path(settings.MAIL_JOURNAL) / "tombstones"
    folder.mkdir(parents=True)
    (folder / "2026-03-01.1.jsonl").write_bytes(line + b"\n")
    (folder / "2026-03-02.2.jsonl").write_text(json.dumps(good) + "\n")
    assert [line.name for line in tombstones.standing()] == [withdrawn.reference]


def test_a_folder_of_tombstones_that_cannot_be_read_is_not_an_empty_one():
    folder = Path(settings.MAIL_JOURNAL) / "tombstones"
    assert restoring.come_back() == 0  # nothing was ever written
    folder.parent.mkdir(parents=True)
    folder.write_text("not a folder")
    assert restoring.come_back() is None


def test_what_was_taken_back_before_its_time_was_over_is_forgotten_in_that_order(
    kenya, django_capture_on_commit_callbacks
):
    application = ApplicationFactory(state_call=kenya, accepted=True)
    backup = Application.objects.values("status", "withdrawn_at", "kind", "email_index").get()
    with django_capture_on_commit_callbacks(execute=True):
        application.withdraw(now=MONDAY)
        erasure.forget(application, now=MONDAY + DAY)
    Application.objects.update(erased_at=None, **backup)
    tombstones.again(MONDAY + 2 * DAY)
    application.refresh_from_db()
    assert (application.status, application.kind) == ("withdrawn", "")  # not that of somebody who took the floor
    assert application.erased_at


def test_a_round_that_runs_out_of_time_goes_on_at_the_next_ring(kenya):
    for _number in range(3):
        ApplicationFactory(state_call=kenya, declined=True)
    now = after(SERIES_IS_OVER, 40) + timedelta(hours=running.NIGHT)
    running.night(now, seconds=0)
    assert Application.objects.exclude(erased_at=None).count() == 1
    assert running.is_due(now)
    assert running.night(now) == (2, 0)
    assert not running.is_due(now)


def test_the_command_says_what_is_due_and_changes_nothing_before_it_does(kenya, on_monday):
    ApplicationFactory(state_call=kenya, declined=True)
    on_monday.move_to(after(SERIES_IS_OVER, 40))
    out = StringIO()
    call_command("forget", dry_run=True, stdout=out)
    assert "1  Applications that were declined" in out.getvalue()
    assert Application.objects.get().erased_at is None
    call_command("forget", stdout=out)
    assert "1 were forgotten." in out.getvalue()
    assert Application.objects.get().erased_at


# --- On the desk ------------------------------------------------------------------------------------------------------

PAGE = "/admin/retention/"


@pytest.fixture
def desk(client, kenya, on_monday):
    """A safety officer at her desk, on a day on which something is due."""
    ApplicationFactory(state_call=kenya, declined=True)
    on_monday.move_to(after(SERIES_IS_OVER, 40))
    officer = StaffFactory()
    officer.groups.add(Group.objects.get(name="Safety officer"))
    client.force_login(officer)
    return client


def test_the_page_says_what_is_kept_how_long_and_how_much_is_due(desk, django_assert_max_num_queries):
    with django_assert_max_num_queries(120):
        page = desk.get(PAGE).content.decode()
    for rule in retention.rules():
        assert rule.in_words in page
    assert 'value="not_selected"' in page
    assert Application.objects.get().erased_at is None


def test_staff_have_what_they_ticked_forgotten_when_it_is_as_much_as_they_saw(desk, kenya):
    assert "have changed" in _said(desk.post(PAGE, {"rule": "not_selected", "due-not_selected": "2"}, follow=True))
    assert "tick what" in _said(desk.post(PAGE, {"due-not_selected": "1"}, follow=True))
    assert Application.objects.get().erased_at is None
    said = _said(desk.post(PAGE, {"rule": "not_selected", "due-not_selected": "1"}, follow=True))
    assert "1 entry was forgotten." in said
    assert Application.objects.get().erased_at == timezone.now()
    run = Run.objects.get()
    assert (run.rule, run.rows, run.by is not None) == ("not_selected", 1, True)
    assert Event.objects.filter(code="forgotten_now", room="retention.run").exists()


def _said(page):
    return " ".join(str(message) for message in page.context["messages"])
