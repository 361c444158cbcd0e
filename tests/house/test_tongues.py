"""In which language a page answers: as its address says, else as the browser likes; of staff, English or French, and
once somebody has logged in, as that person chose."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve, reverse
from django.utils import translation
from lxml import html

from presessions.mail import languages, links
from tests.accounts.factories import StaffFactory
from tests.upr.factories import SeriesFactory

pytestmark = pytest.mark.django_db

DECLARED = {"en": "en", "fr": "fr", "es": "es", "ar": "ar", "ru": "ru", "zh": "zh-Hans"}


def page(answer):
    return html.document_fromstring(answer.content)


@pytest.mark.parametrize("prefix", DECLARED)
def test_a_page_stands_under_two_letters_and_declares_its_language_and_direction(client, prefix):
    root = page(client.get(f"/{prefix}/about/", headers={"accept-language": "pt"}))
    assert (root.get("lang"), root.get("dir")) == (DECLARED[prefix], "rtl" if prefix == "ar" else "ltr")


@pytest.mark.parametrize("code", dict(settings.LANGUAGES))
def test_an_address_leads_back_to_the_view_that_it_was_made_for(code):
    with translation.override(code):
        address = reverse("applications:meeting", args=[54, "KE"])
        assert resolve(address).view_name == "applications:meeting"
    assert address == f"/{code[:2]}/54/KE/"


@pytest.mark.parametrize(
    "wishes, prefix",
    [
        ("", "en"),
        ("pt-BR", "en"),
        ("zh-CN,zh;q=0.9", "zh"),
        ("zh-TW,zh-Hant;q=0.9", "zh"),
        ("zh", "zh"),
        ("ar-EG, fr;q=0.3", "ar"),
        ("pt, ru;q=0.5, en;q=0.3", "ru"),
        ("es-419", "es"),
    ],
)
@pytest.mark.parametrize("address", ["/", "/about/?from=a+letter", "/54"])
def test_an_address_without_a_language_leads_to_the_page_in_the_browsers(client, address, wishes, prefix):
    SeriesFactory()
    answer = client.get(address, headers={"accept-language": wishes})
    there = address.replace("/54", "/54/")
    assert (answer.status_code, answer["Location"]) == (302, f"/{prefix}{there}")
    assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))
    assert client.get(answer["Location"]).status_code == 200


@pytest.mark.parametrize("address", ["/nowhere/", "/zh-hans/about/", "/pt/", "/%2f/example.org"])
def test_what_is_nowhere_is_not_found_in_any_language(client, address):
    answer = client.get(address, headers={"accept-language": "zh-CN"})
    assert answer.status_code == 404
    assert page(answer).get("lang") == "zh-Hans"


@pytest.mark.parametrize("code", dict(settings.MAIL_LANGUAGES))
def test_a_letters_link_opens_in_the_language_of_its_reader(code):
    address = links.url("application", "token", code)
    assert address == f"http://testserver/{code}/application/token/"
    assert translation.get_language_from_path(address.removeprefix("http://testserver")) == languages.tag(code)


def test_the_form_that_asks_for_a_language_begins_with_that_of_the_page(client):
    answer = client.get("/zh/contacts/")
    assert answer.context["form"]["language"].value() == "zh"
    assert [code for code, _name in answer.context["form"].fields["language"].choices] == list(DECLARED)


@pytest.mark.parametrize(
    "wishes, language",
    [("ru", "en"), ("zh-CN", "en"), ("ar, fr;q=0.5", "fr"), ("ru, en;q=0.4, fr;q=0.2", "en"), ("fr-CH", "fr")],
)
def test_the_desk_of_staff_is_english_or_french_whatever_the_browser_would_like(client, wishes, language):
    for address in (reverse("admin:login"), "/admin/nowhere/"):
        answer = client.get(address, headers={"accept-language": wishes}, follow=True)
        assert (page(answer).get("lang"), answer["Content-Language"]) == (language, language)


@pytest.mark.parametrize(("chosen", "wishes"), [("fr", "en-GB"), ("en", "fr-CH"), ("fr", "zh-CN"), ("fr", "")])
def test_who_has_logged_in_reads_the_desk_in_the_language_of_her_account(client, chosen, wishes):
    client.force_login(StaffFactory(language=chosen))
    for address in (reverse("admin:index"), reverse("admin:my_log_in"), "/admin/nowhere/"):
        answer = client.get(address, headers={"accept-language": wishes})
        assert (page(answer).get("lang"), answer["Content-Language"]) == (chosen, chosen)


def test_after_log_out_the_browser_decides_again(client):
    client.force_login(StaffFactory(language="fr"))
    client.post(reverse("admin:logout"))
    assert page(client.get(reverse("admin:login"), headers={"accept-language": "en"})).get("lang") == "en"


def test_a_refusal_of_the_desk_speaks_the_language_of_the_account_too():
    client = Client(enforce_csrf_checks=True)
    client.force_login(StaffFactory(language="fr"))
    answer = client.post(reverse("admin:my_log_in"), headers={"accept-language": "en"})
    assert (answer.status_code, page(answer).get("lang")) == (403, "fr")


def test_public_pages_speak_as_their_address_says_to_staff_as_well(client):
    client.force_login(StaffFactory(language="fr"))
    assert page(client.get("/en/about/")).get("lang") == "en"
    assert client.get("/about/", headers={"accept-language": "es"})["Location"] == "/es/about/"
