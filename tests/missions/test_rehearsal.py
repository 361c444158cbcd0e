"""A rehearsal sends what the real schedule would send, at the same moments, to as many; and says what is wrong."""

import shutil
from collections import Counter
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import transaction

from applications.models import Application, Contact, StateCall
from missions.models import MissionAddress, PermanentMission
from presessions.mail import delivery, journal, letters
from presessions.mail.models import Letter, SeriesText, Switch
from presessions.mail.rehearsal import problems, showing
from presessions.mail.rehearsal.folder import Folder
from presessions.mail.rehearsal.running import NobodyAtTheOtherEnd, Rehearsal
from presessions.upr.dates import GENEVA, geneva
from tests.accounts.factories import StaffFactory
from tests.applications.factories import ApplicationFactory, ContactFactory
from tests.missions.factories import MissionFactory
from tests.promises.test_m9_dates_are_right import a_series, real_rounds

pytestmark = pytest.mark.django_db
SET_UP = geneva(date(2025, 12, 1), 10)


@pytest.fixture(autouse=True)
def _as_in_the_copy(settings):
    settings.MAIL_DOMAIN_PER_MINUTE = settings.MAIL_TWO_PERSONS_ABOVE = 0
    settings.SMTP_URL = "smtp://127.0.0.1:9"  # nobody listens: what went there would be deferred


@pytest.fixture
def series():
    """Pre-sessions 54: a mission that reads French and one that reads English, a contact, an application begun."""
    MissionFactory(iso2="KE")
    PermanentMission.objects.filter(pk=MissionFactory(iso2="BR").pk).update(language="fr")
    ContactFactory(confirmed=True)
    series = a_series(starts_on=date(2026, 5, 4), first_day=date(2026, 4, 14), now=SET_UP)
    return series


def rehearse(series, begins=SET_UP, **options):
    """A rehearsal that is over; what it did is taken back."""
    of_its_own_journal()
    with transaction.atomic():
        rehearsal = Rehearsal(series, begins=begins, **options)
        rehearsal.run()
        rehearsal.staying = {one.kind: problems.of_what_stays(one) for one in rehearsal.left()}
        transaction.set_rollback(True)
    return rehearsal


def of_its_own_journal():
    """What is rehearsed twice, or taken back, must not look like a restored database."""
    journal.forget()
    shutil.rmtree(settings.MAIL_JOURNAL, ignore_errors=True)


def gone(rehearsal):
    return {
        (one.kind, one.mailing.step, one.at.astimezone(GENEVA).isoformat(timespec="minutes")): one.number
        for one in rehearsal.gone
        if one.mailing
    }


def problems_of(rehearsal, kind):
    return [problem for one in rehearsal.gone if one.kind == kind for problem in one.problems]


# --- The same as really -----------------------------------------------------------------------------------------------


def really(series, until):
    """The bell, each day at nine and at each moment at which something is due, over the real delivery."""
    with transaction.atomic():
        waiting = series.mailings.filter(state="planned", due_at__lte=until).order_by("due_at")
        while moment := waiting.values_list("due_at", flat=True).first():
            delivery.drain(0, now=lambda moment=moment: moment, wire=NobodyAtTheOtherEnd)
        sent = Letter.objects.filter(mailing__series=series, state="sent")
        rows = sent.values_list("kind", "mailing__step", "sent_at")
        counts = Counter((kind, step, at.astimezone(GENEVA).isoformat(timespec="minutes")) for kind, step, at in rows)
        transaction.set_rollback(True)
    return dict(counts)


@pytest.mark.parametrize(("number", "first", "last", "wg"), real_rounds())
def test_each_real_series_is_rehearsed_as_the_real_schedule_sends_it(number, first, last, wg):
    for code in ("BR", "KE", "PE"):
        MissionFactory(iso2=code)
    ContactFactory(confirmed=True)
    entered = geneva(date(wg.year - 2, 6, 1))
    series = a_series(number=number, starts_on=wg, first_day=first, last_day=last, now=entered)
    sent = really(series, until=geneva(wg + timedelta(days=60)))
    assert {kind for kind, _step, _at in sent} == {"call", "invitation", "briefing", "reminder"}
    assert gone(rehearse(series, begins=entered)) == sent


def test_staff_are_written_to_the_day_before_as_they_really_are(series):
    StaffFactory(is_superuser=True)
    notices = [one.at.astimezone(GENEVA).isoformat(timespec="minutes") for one in rehearse(series).gone
               if one.kind == "mailing_notice"]  # fmt: skip
    assert notices == [
        "2026-01-18T09:00+01:00",
        "2026-03-16T09:00+01:00",
        "2026-04-03T09:00+02:00",
        "2026-04-06T09:00+02:00",
    ]


def test_of_a_series_that_has_begun_only_what_is_still_to_go_goes(series):
    begins = geneva(date(2026, 3, 18), 10)  # the call and the invitation have gone
    for due in (geneva(date(2026, 1, 19), 9), geneva(date(2026, 3, 17), 9)):
        delivery.drain(0, now=lambda due=due: due, wire=NobodyAtTheOtherEnd)
    assert {kind for kind, _step, _at in gone(rehearse(series, begins=begins))} == {"briefing", "reminder"}


def test_nothing_of_another_series_goes_and_no_other_letter_that_waits(series):
    other = a_series(number=55, starts_on=date(2026, 5, 4), first_day=date(2026, 4, 14), now=SET_UP)
    assert Letter.objects.get().kind == "contact_confirm"  # waits in the outbox
    rehearsal = rehearse(series)
    assert {one.mailing and one.mailing.series_id for one in rehearsal.gone} == {series.pk} != {other.pk}


# --- What is wrong ----------------------------------------------------------------------------------------------------


def test_a_language_without_a_translation_is_named_with_how_many_read_it(series, monkeypatch):
    monkeypatch.setattr(letters, "untranslated", lambda template, language: ["x"] if language == "fr" else [])
    rehearsal = rehearse(series)
    said = "1 reader of French gets it in English: it is not translated completely."
    assert problems_of(rehearsal, "invitation") == [said]
    assert problems_of(rehearsal, "call") == []


def test_a_text_of_the_series_that_stands_in_one_language_only_is_named(series):
    SeriesText.objects.create(
        series=series, kind="invitation", language="en", subject="Come", body="Do come: {{ link }}", changed_at=SET_UP
    )
    assert problems_of(rehearse(series), "invitation") == [
        "The text of this series stands in English only: readers of French get the usual one."
    ]


def test_whoever_has_no_address_is_named_where_everybody_should_be_written_to(series):
    MissionFactory(iso2="TV", email=None)
    assert problems_of(rehearse(series), "invitation") == ["1 cannot be written to, for want of an address: Tuvalu."]


def test_a_letter_that_cannot_be_written_is_told_with_why_and_the_others_go(series):
    broken = MissionFactory(iso2="PE")
    MissionAddress.objects.filter(mission=broken).update(email="not an address")
    rehearsal = rehearse(series)
    assert problems_of(rehearsal, "invitation") == ["1 letter did not go: its address is none."]
    assert [one.number for one in rehearsal.gone if one.kind == "invitation"] == [2]


def test_what_two_persons_must_agree_on_goes_and_says_so(series):
    rehearsal = rehearse(series, two_persons_above=1)
    assert problems_of(rehearsal, "invitation") == [problems.TWO_PERSONS]
    assert problems_of(rehearsal, "call") == []  # one person


def test_what_is_held_does_not_go_and_says_why(series):
    invitation = series.mailings.get(kind="invitation")
    invitation.hold(by=StaffFactory(), now=SET_UP)
    rehearsal = rehearse(series)
    assert "invitation" not in {one.kind for one in rehearsal.gone}
    assert rehearsal.staying["invitation"] == (
        "1 month before the Working Group session would be Sat 4 April 2026, 09:00 Geneva time, 10 days before the "
        "first meeting; held (held by staff): was to go out Tue 17 March 2026, 09:00 Geneva time to every Permanent "
        "Mission (at the latest 28 days before the first meeting)."
    )


def test_while_all_mail_is_stopped_the_rehearsal_goes_on_and_says_so(series):
    Switch.stop(by=StaffFactory(), now=SET_UP)
    rehearsal = rehearse(series)
    assert rehearsal.stopped
    assert ("invitation", "", "2026-03-17T09:00+01:00") in gone(rehearsal)


def test_the_pace_that_large_domains_get_is_told(series):
    for code in ("PE", "TR", "TV"):
        MissionFactory(iso2=code)
    (invitation,) = [one for one in rehearse(series, per_minute=2).gone if one.kind == "invitation"]
    assert invitation.until == invitation.at + timedelta(minutes=2)  # five of one domain, two in a minute


# --- What one looks at ------------------------------------------------------------------------------------------------


def test_masked_there_is_one_letter_of_each_language_without_address_or_link(series, tmp_path):
    folder = Folder(tmp_path / "looked at")
    with transaction.atomic():
        Rehearsal(series, begins=SET_UP, say=folder.add).run()
        folder.finish(series=series, began=SET_UP, full=False, as_if="", stopped=False, staying=[], empty={})
    files = {path.name: path.read_text() for path in (tmp_path / "looked at").rglob("*") if path.is_file()}
    invitations = [name for name in files if "invitation" in name]
    assert sorted(name.rpartition("-")[2] for name in invitations) == ["en.eml", "fr.eml"]
    addresses = [*MissionAddress.objects.all(), *Contact.objects.all()]
    assert all(one.email not in text for one in addresses for text in files.values())
    assert "To: masked@masked.invalid" in files[invitations[0]]
    assert "[struck out]" in files[invitations[0]]
    assert all(name in files["index.html"] for name in invitations)


def test_masked_no_letter_to_somebody_at_risk_is_there(series, tmp_path):
    state_call = StateCall.objects.with_state().get(meeting__state_under_review__state="KE")
    begun = geneva(date(2026, 1, 25), 10)
    draft = ApplicationFactory(state_call=state_call, now=begun, complete=False)
    Application.objects.filter(pk=draft.pk).update(at_risk=True)
    folder, told = Folder(tmp_path / "looked at"), []
    with transaction.atomic():
        Rehearsal(series, begins=begun, say=lambda going: (folder.add(going), told.append(going))).run()
    assert ("unfinished_draft", 1) in [(one.kind, one.number) for one in told]
    shown = [row["letters"] for row in folder.rows if row["going"].kind == "unfinished_draft"]
    assert shown[0] == [{"words": "English: masked, for the safety officer alone", "file": ""}]
    assert not [path for path in (tmp_path / "looked at" / "letters").iterdir() if "draft" in path.name]


def test_in_full_each_letter_is_there_byte_for_byte(series, tmp_path):
    folder = Folder(tmp_path / "full", full=True)
    with transaction.atomic():
        rehearsal = Rehearsal(series, begins=SET_UP, say=folder.add, keep=folder.keep)
        rehearsal.run()
        page = folder.finish(
            series=series, began=SET_UP, full=True, as_if="", stopped=False, staying=[], empty={}
        ).read_text()
    letters_there = list((tmp_path / "full" / "letters").iterdir())
    assert len(letters_there) == sum(one.number for one in rehearsal.gone)
    email = MissionAddress.objects.first().email
    assert any(f"To: {email}".encode() in path.read_bytes() for path in letters_there)
    assert f"&lt;{email}&gt;" in page
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "full").rglob("*")} == {0}


def test_in_a_terminal_each_mailing_says_when_what_to_how_many_and_what_is_wrong(series):
    MissionFactory(iso2="TV", email=None)
    with transaction.atomic():
        told = []
        rehearsal = Rehearsal(series, begins=SET_UP, say=lambda going: told.extend(showing.of(going)))
        told += showing.head(rehearsal)
        rehearsal.run()
        told += showing.tail(rehearsal)
    at = told.index("Tue 17 March 2026, 09:00 Geneva time   invitation")
    assert told[at + 1] == "    2 letters: English 1, French 1"
    assert told[at + 2].startswith("    “")
    assert told[at + 3] == "    ! 1 cannot be written to, for want of an address: Tuvalu."
    assert told[-1] == "7 letters in all, 2 problems."
