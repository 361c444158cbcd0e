"""What everybody may read, in every language, at a price that does not grow."""

from datetime import date, datetime

import pytest
import time_machine
from django.urls import reverse
from django.utils import translation

from applications.rules import SECTIONS
from presessions.mail.models import Letter
from presessions.upr.dates import GENEVA
from tests.applications.factories import CLOSES_AT, MONDAY, ApplicationFactory, StateCallFactory
from tests.mail.letters import body_of
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, SessionFactory, StateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


def test_home_shows_each_open_state_with_its_own_last_minute_in_geneva(client):
    StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    extended = datetime(2026, 4, 1, 0, 0, tzinfo=GENEVA)
    StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="TR")), closes_at=extended)
    text = client.get(reverse("applications:home")).content.decode()
    assert "Kenya" in text
    assert "Sun 22 March 2026, 23:59 Geneva time" in text
    assert "Türkiye" in text
    assert "Tue 31 March 2026, 23:59 Geneva time" in text


def test_home_without_a_call_says_so_and_offers_to_tell(client):
    text = client.get(reverse("applications:home")).content.decode()
    assert "No call is open at the moment." in text
    assert reverse("applications:contact_signup") in text


@pytest.mark.parametrize("next_is_known", [True, False])
def test_home_says_when_the_next_call_comes_or_that_this_is_not_known(client, next_is_known):
    StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    if next_is_known:
        SessionFactory(number=55, starts_on=date(2026, 11, 2), ends_on=date(2026, 11, 13))
    with time_machine.travel(CLOSES_AT, tick=False):  # the call has closed, the meetings are to come
        text = " ".join(client.get(reverse("applications:home")).content.decode().split())
    assert text.index("Meetings: Tue 14 April 2026") < text.index("Applications are closed.")
    assert ("The call is expected about Sun 2 August 2026" in text) == next_is_known
    assert ("The next call stands here as soon as its date is known." in text) != next_is_known


def test_of_fingerprint_and_file_one_is_needed_so_neither_is_called_optional(client):
    text = client.get(reverse("applications:receipt_check")).content.decode()
    assert "Or the file itself" in text
    assert "(optional)" not in text


def test_a_meeting_that_is_not_held_cannot_be_applied_for(client):
    state_call = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    state_call.meeting.call_off("postponed", now=MONDAY)
    assert "Kenya" not in client.get(reverse("applications:home")).content.decode()
    page = client.get(reverse("applications:meeting", args=[54, "KE"])).content.decode()
    assert "This meeting does not take place" in page
    assert client.get(reverse("applications:start", args=[54, "KE"])).status_code == 410


@pytest.mark.parametrize(
    ("reason", "before", "after"),
    [
        ("other", "This meeting will not be held.", "This meeting did not take place."),
        ("postponed", "This meeting does not take place: ", "This meeting did not take place: "),
    ],
)
def test_nobody_is_led_to_the_room_of_a_meeting_that_is_not_held(client, reason, before, after):
    meeting = CountryMeetingFactory(state=StateFactory(iso2="KE"), room="Room XXI")
    page, hour = reverse("applications:meeting", args=[54, "KE"]), "Tue 14 April 2026, 10:00"
    shown = client.get(page).content.decode()
    assert hour in shown and "Room XXI" in shown
    meeting.call_off(reason, now=MONDAY)
    for moment, words in ((MONDAY, before), (meeting.ends_at, after)):
        with time_machine.travel(moment, tick=False):
            shown = client.get(page).content.decode()
        assert words in shown
        assert hour not in shown and "Room XXI" not in shown


def test_a_demonstration_is_flagged_wherever_it_is_shown(client):
    state_call = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    session = state_call.series.session
    session.demonstration = True
    session.save()
    for name, args in [("home", []), ("series", [54]), ("meeting", [54, "KE"])]:
        assert "Demonstration." in client.get(reverse(f"applications:{name}", args=args)).content.decode()


def test_a_series_without_a_call_is_shown_and_not_open(client):
    CountryMeetingFactory(series=SeriesFactory(), state=StateFactory(iso2="KE"))
    assert "Not open" in client.get(reverse("applications:series", args=[54])).content.decode()
    assert "Applications are not open." in client.get(reverse("applications:meeting", args=[54, "KE"])).content.decode()


@pytest.mark.parametrize("path", ["/en/99/", "/en/99/KE/", "/en/54/XX/", "/en/54/ke/", "/en/apply/54/XX/"])
def test_what_does_not_exist_is_not_found(client, path):
    StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("name, args, queries", [("home", [], 2), ("series", [54], 2), ("meeting", [54, "KE"], 1)])
@pytest.mark.parametrize("states", [1, 14])
def test_a_page_costs_the_same_for_one_state_and_for_many(
    client, django_assert_num_queries, name, args, queries, states
):
    for code in ["KE", "TR", "CL", "FR", "NO", "VN", "CI", "NL", "GM", "PE", "JP", "MX", "EG", "TD"][:states]:
        StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2=code)))
    address = reverse(f"applications:{name}", args=args)
    with django_assert_num_queries(queries):
        client.get(address)


@pytest.mark.parametrize(
    "name",
    [
        "home",
        "about",
        "privacy",
        "safety",
        "states",
        "all_series",
        "link_sent",
        "lost_link",
        "contact_signup",
        "contact_sent",
    ],
)
def test_every_page_speaks_french_addresses(client, name):
    with translation.override("fr"):
        answer = client.get(reverse(f"applications:{name}"))
    assert answer.status_code == 200
    assert '<html lang="fr"' in answer.content.decode()


def test_states_are_listed_in_the_readers_alphabet(client):
    for code in ("EG", "ES", "TR"):  # Égypte, Espagne, Türkiye
        StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2=code)))
    text = client.get("/fr/").content.decode()
    assert text.index("Égypte") < text.index("Espagne") < text.index("Türkiye")


def test_the_last_day_counts_down_on_genevas_calendar(client):
    StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    for moment, words in [
        (datetime(2026, 3, 22, 23, 59, 59, tzinfo=GENEVA), "today is the last day"),
        (datetime(2026, 3, 21, 23, 59, 59, tzinfo=GENEVA), "1 day left"),
        (datetime(2026, 3, 20, 0, 0, tzinfo=GENEVA), "2 days left"),
    ]:
        with time_machine.travel(moment, tick=False):
            assert words in " ".join(client.get("/en/").content.decode().split())
    with time_machine.travel(CLOSES_AT, tick=False):
        assert "Kenya" not in client.get("/en/").content.decode()


@pytest.mark.parametrize("status", ["complete", "submitted", "withdrawn"])
def test_every_page_of_the_form_renders_in_french(client, status):
    application = ApplicationFactory(**{status: True}, language="fr", consents=["name"])
    session = client.session
    session["application"] = application.pk
    session.save()
    sections = ("institution", "speaker", "issues", "submission", "safety")
    assert {*sections} <= {*SECTIONS}
    with translation.override("fr"):
        names = ("tasks", "check", "receipt", "status", "withdraw", "erase", "everything")
        addresses = [reverse(f"applications:{name}") for name in names]
        addresses += [reverse("applications:section", args=[section]) for section in sections]
    for address in addresses:
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        assert '<html lang="fr"' in answer.content.decode(), address


def test_letters_speak_the_applicants_language():
    application = ApplicationFactory(language="fr", withdrawn=True, submitted=True)
    written = Letter.objects.filter(recipient_id=application.reference)
    assert {letter.kind for letter in written} == {"application_link", "receipt", "withdrawn"}
    assert {letter.language for letter in written} == {"fr"}
    assert "/fr/application/" in body_of(written[0])


def test_what_an_applicant_typed_is_text_and_never_markup(client):
    hostile = "<script>alert(1)</script>{{ settings.SECRET_KEY }}\u202e"
    application = ApplicationFactory(name=hostile, issues=hostile, full_name=hostile)
    session = client.session
    session["application"] = application.pk
    session.save()
    for address in (reverse("applications:check"), reverse("applications:section", args=["institution"])):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        assert "{{ settings" in page  # typed, shown, not run
