"""What a speaker needs for the day: asked of nobody else, no more than is wanted, and forgotten in time."""

import io
import re
from datetime import date, timedelta

import pikepdf
import pytest
import time_machine
from django.conf import settings
from django.urls import reverse

from applications import paper, seat, tasks, visa_letter
from applications.models import Application, Needs
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from tests.applications.factories import MONDAY, ApplicationFactory
from tests.applications.seats import open_session, words_of

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
MEETING = geneva(date(2026, 4, 14), 10)
PAPERS = {"attends": "in_person", "visa_letter": "on", "badge": "on"}
PASSPORT = {
    "passport_name": "CANARY<<AMINA",
    "passport_number": "ab 123456",
    "nationality": "Kenyan",
    "born_on": "1985-05-31",
}


@pytest.fixture
def on_tuesday():
    with time_machine.travel(TUESDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def application(db):
    return ApplicationFactory(confirmed=True, full_name="Amina Canary", attends="undecided")


@pytest.fixture
def applicant(client, application, on_tuesday):
    return open_session(client, application)


def page(name):
    return reverse(f"applications:{name}")


def fresh(application):
    return Application.objects.with_state().get(pk=application.pk)


def tell(applicant, **changed):
    """Needs, then the passport."""
    assert applicant.post(page("needs"), PAPERS).url == page("passport")
    return applicant.post(page("passport"), PASSPORT | changed)


# --- What is asked ----------------------------------------------------------------------------------------------------


def test_needs_are_saved_and_the_way_of_taking_part_is_the_speakers(applicant, application):
    posted = {"attends": "remote", "interpretation": "French", "accessibility": "Large print"}
    assert applicant.post(page("needs"), posted).url == page("seat")
    needs = Needs.objects.get()
    assert (needs.interpretation, needs.accessibility, needs.saved_at) == ("French", "Large print", TUESDAY)
    assert fresh(application).speaker.attends == "remote"
    shown = words_of(applicant.get(page("needs")))
    assert "Large print" in shown
    assert "erased 30 days after the meeting" in shown


def test_nobody_is_asked_for_a_passport_who_wants_neither_letter_nor_badge(applicant):
    assert "passport_number" not in words_of(applicant.get(page("needs")))
    applicant.post(page("needs"), {"attends": "in_person"})
    assert applicant.get(page("passport")).url == page("needs")
    assert applicant.post(page("passport"), PASSPORT).url == page("needs")
    assert Needs.objects.get().passport_number == ""


@pytest.mark.parametrize("wanted", ["visa_letter", "badge"])
def test_who_wants_one_of_them_is_asked(applicant, wanted):
    assert applicant.post(page("needs"), {wanted: "on"}).url == page("passport")
    assert "each time is noted" in words_of(applicant.get(page("passport")))


def test_the_passport_is_kept_as_its_foot_writes_it(applicant):
    assert tell(applicant).url == page("seat")
    needs = Needs.objects.get()
    facts = [needs.passport_name, needs.passport_number, needs.nationality, needs.born_on]
    assert facts == ["CANARY AMINA", "AB123456", "Kenyan", "1985-05-31"]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("passport_name", "أمينة كناري", "Write the name in the letters A to Z only"),
        ("passport_name", "Amina Canary2", "Write the name in the letters A to Z only"),
        ("passport_name", "", "Write the name in the letters A to Z only"),
        ("passport_number", "AB/12", "Enter the number as in the passport"),
        ("nationality", "كينية", "Enter the nationality as in the passport, in Latin letters."),
        ("nationality", "Kenya 7", "Enter the nationality as in the passport, in Latin letters."),
        ("nationality", "123456", "Enter the nationality as in the passport, in Latin letters."),
        ("born_on", "2026-02-24", "This does not fit what the application says of the speaker’s age"),
        ("born_on", "2008-03-04", "This does not fit what the application says of the speaker’s age"),
        ("born_on", "1915-03-03", "This cannot be the date of birth."),
        ("born_on", "31.05.85", "Enter the date of birth with year, month and day"),
        ("born_on", "2031-05-31", "This cannot be the date of birth."),
        ("born_on", "1085-05-31", "This cannot be the date of birth."),
    ],
)
def test_what_an_embassy_could_not_use_is_refused_in_words_and_kept_on_the_page(applicant, field, typed, words):
    answer = tell(applicant, **{field: typed})
    assert answer.status_code == 200
    assert words in words_of(answer)
    assert typed in answer.content.decode()
    assert not Needs.objects.get().has_passport


def test_on_the_eighteenth_birthday_one_is_of_age(applicant):
    assert tell(applicant, born_on="2008-03-03").url == page("seat")


def test_who_is_marked_under_18_cannot_have_been_of_age_when_the_application_was_sent(applicant, application):
    application.speakers.update(under_18=True)
    assert "This does not fit" in words_of(tell(applicant))
    assert tell(applicant, born_on="2008-03-03").url == page("seat")  # it was sent the day before the birthday


def test_who_wants_no_papers_any_more_leaves_no_passport_behind(applicant):
    tell(applicant)
    applicant.post(page("needs"), {"attends": "in_person"})
    needs = Needs.objects.get()
    assert [getattr(needs, name) for name in Needs.PASSPORT] == ["", "", "", ""]


def test_a_passport_stays_while_one_of_the_two_papers_is_wanted(applicant):
    tell(applicant)
    applicant.post(page("needs"), {"attends": "in_person", "badge": "on"})
    assert Needs.objects.get().passport_number == "AB123456"


def test_who_takes_part_remotely_needs_no_papers(applicant):
    answer = applicant.post(page("needs"), PAPERS | {"attends": "remote"})
    assert "Who takes part remotely needs no visa and no badge." in words_of(answer)
    assert not Needs.objects.exists()


def test_nothing_is_saved_once_the_meeting_has_begun_and_the_words_come_back(client, application):
    with time_machine.travel(MEETING, tick=False):
        answer = open_session(client, application).post(page("needs"), {"accessibility": "A ramp"})
    assert answer.status_code == 410
    assert "A ramp" in words_of(answer)
    assert not Needs.objects.exists()


def test_words_typed_into_a_dead_session_come_back(client, application):
    answer = client.post(page("needs"), {"accessibility": "A ramp"})
    assert answer.status_code == 404
    assert "A ramp" in words_of(answer)


# --- Forgotten --------------------------------------------------------------------------------------------------------


def kept_at(moment):
    seat.forget_needs(moment)
    return Needs.objects.exists()


def test_all_is_erased_when_thirty_days_have_passed_since_the_meeting(applicant):
    tell(applicant)
    assert kept_at(geneva(date(2026, 5, 14), 23, 59))
    assert not kept_at(geneva(date(2026, 5, 15)))


def test_without_an_hour_the_last_day_of_the_series_counts(applicant, application):
    tell(applicant)
    application.meeting.reschedule(now=TUESDAY, starts_at=None)
    assert kept_at(geneva(date(2026, 5, 16), 23, 59))
    assert not kept_at(geneva(date(2026, 5, 17)))


def test_who_withdraws_is_forgotten_at_the_next_round(applicant, application):
    tell(applicant)
    application.withdraw(now=TUESDAY)
    assert not kept_at(TUESDAY)


# --- The letter for a visa --------------------------------------------------------------------------------------------


def text_of(pdf):
    """What the letter says, read back out of its page."""
    with pikepdf.open(io.BytesIO(pdf)) as file:
        pieces = []
        for page_ in file.pages:
            for operands, operator in pikepdf.parse_content_stream(page_):
                if str(operator) in ("Tj", "'"):
                    pieces.append(bytes(operands[-1]).decode("cp1252"))
                if str(operator) == "T*":
                    pieces.append(" ")
        return re.sub(r"\s+", " ", " ".join(pieces))


def test_the_letter_says_who_where_and_when_and_how_to_verify_it(applicant, application):
    tell(applicant)
    answer = applicant.get(page("visa_letter"))
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == f'attachment; filename="letter-{application.reference}.pdf"'
    words = text_of(answer.content)
    for fact in (
        "CANARY AMINA",
        "AB123456",
        "Kenyan",
        "31 May 1985",
        "Tue 14 April 2026 to Thu 16 April 2026",
        "Pre-sessions 54",
        application.reference,
        "Geneva, 3 March 2026",
        "as a speaker",
        "would grant this person a visa",
        *settings.ORGANISATION_ADDRESS,
        "To verify this letter, please write to",
    ):
        assert fact in words
    assert Event.objects.about(application).filter(code="visa_letter_made").exists()


def test_it_tells_neither_the_state_nor_a_theme_nor_anybody_else(applicant, application):
    """It goes through airports, perhaps those of the State under Review."""
    other = ApplicationFactory(state_call=application.state_call, confirmed=True, full_name="Chidi Vale")
    tell(applicant)
    pdf = applicant.get(page("visa_letter")).content
    said = text_of(pdf)
    themes = [theme.name for theme in application.themes.all()]
    for secret in (application.state_call.state.name, application.name, "Chidi Vale", other.reference, *themes):
        assert secret not in said
    with pikepdf.open(io.BytesIO(pdf)) as file:
        assert str(file.docinfo["/Author"]) == "UPR Info"
        assert "Canary" not in " ".join(str(value) for value in file.docinfo.values())


@pytest.mark.parametrize("name", ["CHIDI VALE", "A BREVE"])
def test_nobody_else_gets_a_letter_than_the_speaker_staff_have_seen(applicant, application, name):
    tell(applicant, passport_name=name)
    answer = applicant.get(page("visa_letter"), follow=True)
    assert answer["Content-Type"].startswith("text/html")
    assert "have no word in common" in words_of(answer)
    assert page("visa_letter") not in words_of(applicant.get(page("seat")))
    assert not Event.objects.about(application).filter(code="visa_letter_made").exists()


@pytest.mark.parametrize(
    ("name", "passport", "same"),
    [
        ("José Núñez", "NUNEZ PEREZ JOSE", True),
        ("أمينة كناري (Amina Canary)", "CANARY AMINA", True),
        ("أمينة كناري", "CANARY AMINA", False),
        ("A. Canary", "A BREVE", False),
        ("", "CANARY AMINA", False),
    ],
)
def test_names_are_compared_by_whole_words_without_marks(application, name, passport, same):
    application.speakers.update(full_name=name)
    assert seat.is_of_the_speaker(fresh(application), passport) is same


def test_the_page_asks_whether_all_is_right_before_the_letter_is_made(applicant):
    tell(applicant)
    shown = words_of(applicant.get(page("seat")))
    assert "Is this right?" in shown
    assert "CANARY AMINA · 1985-05-31 · Kenyan · AB123456" in shown


def test_nothing_of_it_is_kept(applicant, application):
    from presessions import vault

    tell(applicant)
    before = [path for _name, path, _changed in vault.storage.kept()]
    applicant.get(page("visa_letter"))
    assert [path for _name, path, _changed in vault.storage.kept()] == before


@pytest.mark.parametrize(("language", "begins"), [("fr", "fr"), ("en", "en"), ("ar", "en"), ("zh", "en")])
def test_it_is_in_french_or_in_english(db, language, begins):
    assert visa_letter.language_of(ApplicationFactory(language=language)) == begins


def test_it_waits_for_what_it_needs_and_says_so(client, on_tuesday):
    application = ApplicationFactory(accepted=True)
    applicant = open_session(client, application)

    def why():
        return words_of(applicant.get(page("visa_letter"), follow=True))

    assert "Tell us first that the speaker needs a letter for a visa." in why()
    applicant.post(page("needs"), PAPERS)
    assert "Please confirm your seat first." in why()
    applicant.post(page("seat"))
    assert "The letter needs the data of the passport." in why()
    assert '<span class="tag tag-late">Missing</span>' in words_of(applicant.get(page("seat")))
    applicant.post(page("passport"), PASSPORT)
    assert applicant.get(page("visa_letter"))["Content-Type"] == "application/pdf"
    assert page("visa_letter") in words_of(applicant.get(page("seat")))
    application.meeting.call_off("postponed", now=TUESDAY)
    assert "This meeting will not be held." in why()


def test_the_letter_waits_for_the_days(applicant, application):
    tell(applicant)
    application.meeting.reschedule(now=TUESDAY, starts_at=None)
    application.meeting.series.reschedule(now=TUESDAY, first_day=None, last_day=None)
    assert "The days of the meetings are not known yet." in words_of(applicant.get(page("visa_letter"), follow=True))


@pytest.mark.parametrize(
    ("written", "printed"),
    [("Türkiye", "Türkiye"), ("Español “libre”", "Español “libre”"), ("Łódź, Şişli", "?ódz, Sisli"), ("北京", "??")],
)
def test_signs_that_the_letters_fonts_lack_lose_their_marks(written, printed):
    assert paper.printable(written) == printed


def test_who_has_no_seat_any_more_cannot_tell_needs(application):
    seat.give_up(application, now=TUESDAY)
    with pytest.raises(WrongStep, match="already seat given up"):
        seat.save_needs(application, {"badge": True}, now=TUESDAY)
    assert not Needs.objects.exists()


def test_the_bell_rings_for_it_and_the_history_says_so(applicant, application):
    tell(applicant)
    with time_machine.travel(geneva(date(2026, 5, 15)), tick=False):
        tasks.forget_needs()
    assert not Needs.objects.exists()
    assert Event.objects.about(application).filter(code="needs_forgotten").exists()
    assert "applications.tasks.forget_needs" in {ring["task"] for ring in settings.CELERY_BEAT_SCHEDULE.values()}
