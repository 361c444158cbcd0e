"""Whom staff look for stands in no address: it is posted, and the list's address has it sealed."""

import pytest
from django.urls import reverse

from presessions import private_search
from tests.accounts.factories import StaffFactory
from tests.applications.factories import ApplicationFactory, ContactFactory

pytestmark = pytest.mark.django_db
ADDRESS, NAME = "amina@example.org", "Rights Now"
LISTS = {
    "applications_application_changelist": ADDRESS,
    "applications_contact_changelist": ADDRESS,
    "applications_organisation_changelist": NAME,
    "mail_report_changelist": ADDRESS,
}


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory())
    return client


@pytest.mark.parametrize("name", LISTS)
def test_a_search_is_posted_and_its_words_stand_in_no_address(desk, name):
    page, words = reverse(f"admin:{name}"), LISTS[name]
    form = desk.get(page).content.decode().split('id="changelist-search"')[1].partition(">")[0]
    assert 'method="post"' in form
    answer = desk.post(page, {"q": f" {words} "}, follow=True)
    assert answer.status_code == 200
    (leads_to, _status), *_more = answer.redirect_chain
    assert leads_to.startswith(f"{page}?q=~")
    assert answer.context["cl"].query == words
    links = answer.content.decode().split('href="')[1:]
    assert not [link for link in links if words in link.partition('"')[0] or "%40" in link.partition('"')[0]]


def test_it_finds_what_it_found_before_and_keeps_the_filters(desk):
    application, other = ApplicationFactory(submitted=True, email=ADDRESS), ApplicationFactory(submitted=True)
    page = reverse("admin:applications_application_changelist")
    for asked, rows in (({"stands": "all"}, [application]), ({"stands": "declined"}, [])):
        found = desk.post(f"{page}?{'&'.join(map('='.join, asked.items()))}&p=2", {"q": ADDRESS}, follow=True)
        assert list(found.context["cl"].result_list) == rows
    whole = desk.post(f"{page}?stands=all", {"q": ""}, follow=True)
    assert set(whole.context["cl"].result_list) == {application, other}


def test_what_was_found_can_be_exported(desk):
    ContactFactory(email=ADDRESS), ContactFactory(email="other@example.org")
    listed = desk.post(reverse("admin:applications_contact_changelist"), {"q": ADDRESS}, follow=True)
    link = reverse("admin:applications_contact_export") + listed.context["cl"].get_query_string()
    assert desk.get(link).context["filtered"].count == 1


def test_what_is_broken_or_forged_finds_nothing(desk):
    ApplicationFactory(submitted=True, email=ADDRESS)
    page = reverse("admin:applications_application_changelist")
    for forged in ("~", "~x", "~" + "A" * 80, private_search.sealed(ADDRESS)[:-4]):
        assert list(desk.get(page, {"q": forged}).context["cl"].result_list) == []


def test_two_searches_for_the_same_are_not_known_by_their_address():
    assert private_search.sealed(ADDRESS) != private_search.sealed(ADDRESS)
    assert private_search.opened(private_search.sealed(ADDRESS)) == ADDRESS
