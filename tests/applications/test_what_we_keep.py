"""What /privacy/ and /safety/ say is what the code does: every number on them follows its setting, every cookie is
named, every rule of forgetting is told of or has a reason not to be."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as product
from django.test import Client
from django.urls import reverse
from django.utils import translation
from lxml import html

from applications import kept
from applications.mailings.people import CONFIRM_WITHIN
from applications.models import Application, Speaker
from presessions import retention, vault
from presessions.trail.models import Event
from tests.applications.factories import MONDAY, ApplicationFactory
from tests.applications.test_journey import hidden
from tests.upr.factories import StateFactory

pytestmark = pytest.mark.django_db

PAGES = ("privacy", "safety")
ASKED_FOR = re.compile(r'{% kept "(\w+)"')
TEMPLATES = Path(product.BASE_DIR) / "templates"
# Rules of which the pages say nothing, because they keep nothing of anybody outside.
OF_NOBODY_OUTSIDE = {
    "notes": "what staff wrote for a moderator",
    "reports": "mails that came back, read by staff",
    "visits": "that a link was opened: told without its time",
    "questions": "from the floor of a public meeting, as staff noted them",
    "tasks": "what staff wrote of how they reached a mission",
    "history": "what staff changed on the desk",
    "staff": "names of those who worked here",
    "alarms": "what machines said",
    "sessions": "of the desk, and of forms: told as a cookie",
    "tries": "to log in to the desk",
}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


def page(name, client=None):
    answer = (client or Client()).get(reverse(f"applications:{name}"))
    assert answer.status_code == 200
    return " ".join(html.document_fromstring(answer.content).find(".//main").text_content().split())


def asked_for(*templates):
    return {name for one in templates for name in ASKED_FOR.findall((TEMPLATES / one).read_text())}


# --- What a thief of a backup could read ---------------------------------------------------------------------------

OF_THE_INSTITUTION, STEPS = "what you choose about your institution from a list", "when each step was taken"
PLAIN = {  # what stands in the database unencrypted, and the words by which people are told
    "the State": {"state_call"},
    OF_THE_INSTITUTION: {"kind", "ganhri_status", "ganhri_status_on", "scope", "ecosoc_status", "is_coalition"},
    "its year of foundation": {"founded_year"},
    "languages": {"language", "spoken_english"},
    "gender": {"gender"},
    "under 18": {"under_18", "guardian_agrees"},
    "somebody is at risk": {"at_risk"},
    STEPS: {
        "status", "safety_seen_at", "created_at", "submitted_at", "changed_at", "withdrawn_at", "prepared",
        "prepared_by", "prepared_at", "released_at", "confirm_by", "seat_answered_at", "cleared_at", "in_grace",
        "received_at", "entered_by", "erased_at", "late_until", "replaced_at",
    },
}  # fmt: skip
OF_NO_USE = {  # to whoever wants to know who it was
    "id", "reference", "application", "organisation", "same_as", "submission_kind", "role", "attends",
}  # fmt: skip


def test_what_is_not_encrypted_is_told_and_a_stolen_copy_is_not_called_unreadable():
    models = (Application, Speaker)
    plain = {
        one.name for model in models for one in model._meta.concrete_fields if one.name not in vault.emptied(model)
    }
    assert plain == set().union(*PLAIN.values()) | OF_NO_USE
    (told,) = [words for words in re.split(r"(?<=[.!?])\s", page("privacy")) if words.startswith("Not encrypted")]
    assert [words for words in PLAIN if words not in told] == []
    assert "does show what we count by, such as the State and the kind of institution" in page("safety")


# --- Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_no_number_of_days_hours_or_minutes_is_written_into_the_page(name):
    text = (TEMPLATES / f"applications/{name}.html").read_text()
    assert re.findall(r"\b(?:\d+|ten|thirty|ninety|a|one) (?:days?|hours?|minutes?|months?|weeks?)\b", text) == []


def test_every_number_on_the_pages_is_that_of_the_code(settings):
    """Each is changed to one that no other has, and the pages say it."""
    numbers = {name: 1000 + place for place, name in enumerate(retention.ORDER)}
    settings.KEEP_DAYS, settings.BACKUP_DAYS, settings.SESSION_COOKIE_AGE = numbers, 2000, 3000 * 3600
    words = {name: f"{number} days" for name, number in numbers.items()}
    words |= {"backups": "2000 days", "form": "3000 hours", "typed": "10 minutes", "links": "30 days"}
    told = page("privacy") + page("safety")
    there = asked_for("applications/privacy.html", "applications/safety.html")
    assert {name for name in there if words[name] not in told} == set()
    assert {name for name in words if words[name] in told} == there


def test_every_rule_of_forgetting_is_told_of_or_keeps_nothing_of_anybody_outside():
    told = asked_for("applications/privacy.html")
    assert set(retention.ORDER) == (told & set(retention.ORDER)) | OF_NOBODY_OUTSIDE.keys()
    assert not told & OF_NOBODY_OUTSIDE.keys()


def test_what_stands_in_other_places_of_the_code_is_the_same_number(settings):
    assert timedelta(days=retention.days("contacts_unconfirmed")) == CONFIRM_WITHIN


def test_one_day_is_no_days(settings):
    settings.KEEP_DAYS = {**settings.KEEP_DAYS, "drafts": 1}
    assert (kept.in_words("drafts"), kept.in_words("typed")) == ("1 day", "10 minutes")
    with pytest.raises(KeyError):
        kept.in_words("for ever")


# --- Cookies ----------------------------------------------------------------------------------------------------------


def test_every_cookie_that_somebody_outside_gets_is_named(settings, clock):
    """A link is asked for again, and a form opened, saved and left."""
    application, browser, got = ApplicationFactory(complete=True), Client(), {}
    session = browser.session
    session["application"] = application.pk
    session.save()
    lost, section = reverse("applications:lost_link"), reverse("applications:section", args=["recommendations"])
    shown = hidden(browser.get(lost))
    clock.shift(timedelta(seconds=5))
    for answer in (
        browser.get(section),
        browser.post(section, {"recommendation_1": "Ratify it."}),
        browser.post(lost, {"email": "nobody@example.org", "language": "en", "shown": shown}),
        browser.post(reverse("applications:leave")),
    ):
        got |= {name: cookie["max-age"] for name, cookie in answer.cookies.items() if cookie.value}
    page = Client().get(reverse("applications:privacy")).content.decode()
    named = re.findall(r'<code dir="ltr">([^<]+)</code>', page)
    assert got.keys() - {settings.SESSION_COOKIE_NAME} == {settings.CSRF_COOKIE_NAME, "typed", "messages"}
    assert set(named) == {*got, settings.SESSION_COOKIE_NAME}
    assert got[settings.CSRF_COOKIE_NAME] == ""  # until the browser is closed


def test_reading_sets_none():
    for name in ("home", "about", *PAGES):
        assert not Client().get(reverse(f"applications:{name}")).cookies


# --- What only UPR Info can know --------------------------------------------------------------------------------------


def test_while_upr_info_has_not_confirmed_it_the_page_says_so():
    told = page("privacy")
    assert "UPR Info has yet to confirm what this last section says of the law." in told
    assert "Where our server and its copies stand, we tell you when you ask us." in told


def test_what_it_has_confirmed_stands_there_with_its_day(settings):
    StateFactory(iso2="CH")
    settings.HOSTED_IN, settings.PRIVACY_CONFIRMED_ON = ["CH"], date(2027, 1, 31)
    told = page("privacy")
    assert "Our server and its copies stand in: Switzerland." in told
    assert "Confirmed by UPR Info on Sun 31 January 2027." in told
    assert "yet to confirm" not in told


# --- Ways there -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_each_part_has_an_address_that_the_list_on_top_leads_to(client, name):
    tree = html.document_fromstring(client.get(reverse(f"applications:{name}")).content).find(".//main")
    parts = tree.xpath(".//h2/@id")
    assert tree.xpath(".//ul[@class='inline']//a/@href") == [f"#{part}" for part in parts]
    assert len(parts) == len(tree.findall(".//h2")) >= 5


def test_whoever_begins_is_led_there_before_and_while_answering(client):
    there = reverse("applications:safety")
    state_call = ApplicationFactory(complete=True).state_call
    number, iso2 = state_call.series.number, state_call.state.pk
    for address in (reverse("applications:home"), reverse("applications:start", args=[number, iso2])):
        tree = html.document_fromstring(client.get(address).content)
        assert there in tree.xpath("//main//a/@href")
        assert there in tree.xpath("//footer//a/@href")
    session = client.session
    session["application"] = ApplicationFactory(complete=True, state_call=state_call).pk
    session.save()
    section = client.get(reverse("applications:section", args=["safety"]))
    assert there in html.document_fromstring(section.content).xpath("//main//a/@href")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["ar", "ru"])
def test_a_translation_that_nobody_has_read_says_so_on_the_page(client, name, language):
    with translation.override(language):
        tree = html.document_fromstring(client.get(reverse(f"applications:{name}")).content)
    assert tree.xpath("//main//*[contains(@class, 'not-reviewed')]//a/@href") == [f"/en/{name}/"]


@pytest.mark.parametrize("name", PAGES)
def test_reading_leaves_no_trace(client, django_assert_num_queries, name):
    events = Event.objects.count()
    with django_assert_num_queries(0):
        client.get(reverse(f"applications:{name}"))
    assert Event.objects.count() == events
