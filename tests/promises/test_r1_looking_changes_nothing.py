"""R1: opening a link changes nothing, whoever or whatever opens it.

Mail filters fetch every address in a mail, some of them again and again. Nothing may come of it but a note. One that
runs scripts is tests/e2e/test_mail_filter.py.
"""

import pytest
from django.test import Client
from django.urls import reverse

from applications.models import Contact
from applications.rules import SECTIONS
from presessions.mail import registry
from presessions.mail.models import LinkVisit
from tests.house.conftest import broker, told, world  # noqa: F401
from tests.house.world import END, TOKEN, filled
from tests.missions.pages import ADDED_BY_LOOKING, dump
from tests.promises.walk import walk

ADDS = {"trail_event", "mail_linkvisit"}  # looking may add to these two tables; `dump` leaves out no other
OF_A_SEAT = ("seat", "give_up", "speaker_change", "needs", "passport", "visa_letter", "statement", "fact_sheet",
             "consent_again")  # fmt: skip
TIMES = 3


@pytest.fixture
def at_arrival(world):  # noqa: F811
    """Each mail in turn, at the moment when it arrived, so that its links are alive."""

    def mails():
        for mail in world.mails:
            world.clock.move_to(mail.letter.created_at)
            yield mail

    return mails


def path_of(link):
    assert link.startswith("http://testserver"), "our mails link to ourselves and to nobody else"
    return link.removeprefix("http://testserver") or "/"


def look(browser, path):
    """Ask for a page and for its head, and go wherever they lead; the statuses."""
    return {browser.get(path, follow=True).status_code, browser.head(path, follow=True).status_code}


def test_the_two_tables_are_all_that_is_not_compared(db):
    assert ADDED_BY_LOOKING == ADDS
    assert "django_session" in dump()


def test_there_is_a_mail_of_every_kind(world):  # noqa: F811
    assert {mail.kind for mail in world.mails} == set(registry.KINDS)


def test_a_mail_that_may_be_left_says_so_in_its_header(world):  # noqa: F811
    leaving = {name for name, kind in registry.KINDS.items() if kind.unsubscribe}
    assert leaving == {mail.kind for mail in world.mails if mail.message["List-Unsubscribe"]}
    mail = world.newest("call")
    assert mail.message["List-Unsubscribe"].strip("<>") in mail.links


def test_fetching_every_address_of_every_mail_again_and_again_changes_nothing(at_arrival):
    changed, dead, fetched, before = [], [], set(), dump()
    for mail in at_arrival():
        for link in set(mail.links) - fetched:
            visits = LinkVisit.objects.count()
            statuses = {status for _ in range(TIMES) for status in look(Client(), path_of(link))}
            if statuses != {200} or (TOKEN.search(link) and LinkVisit.objects.count() < visits + 2 * TIMES):
                dead.append((mail.kind, link, statuses))  # then it would prove nothing
            if (after := dump()) != before:
                changed.append((mail.kind, link))
            fetched.add(link)
            before = after
    assert changed == []
    assert dead == []


def test_nor_does_it_in_the_browser_of_somebody_who_has_pressed_the_button(at_arrival):
    names = ("tasks", "check", "receipt", "status", "withdraw", "erase", "everything", *OF_A_SEAT)
    pages = [reverse(f"applications:{name}") for name in names]
    pages += [reverse("applications:section", args=[section]) for section in SECTIONS]
    first = {mail.letter.recipient_id: mail for mail in at_arrival() if registry.KINDS[mail.kind].link == "application"}
    assert len(first) > 4
    for mail in first.values():
        browser = Client()
        assert browser.post(mail.path).url == reverse("applications:tasks")
        before = dump()
        assert {status for page in [mail.path, *pages] for status in look(browser, page)} <= {200, 410}
        assert dump() == before, mail.kind


@pytest.mark.parametrize("purpose", ["invitation", "colleague"])
def test_nor_does_going_on_from_a_missions_link_to_everything_behind_it(world, purpose):  # noqa: F811
    """Its packs, papers, archives and calendars, wherever its pages lead."""
    mail = next(mail for mail in reversed(world.mails) if registry.KINDS[mail.kind].link == purpose)
    world.clock.move_to(max(mail.letter.created_at, END))
    token, before = TOKEN.search(mail.path)[0], dump()
    found = walk(token, only_behind_it=True)
    for address in found:
        Client().head(address)
    assert sum(status == 200 for status, _text in found.values()) >= 8
    assert dump() == before


@pytest.mark.parametrize("purpose", sorted(registry.PURPOSES))
def test_pressing_the_button_does_change_something(at_arrival, purpose):
    """So the comparison is able to see a change behind every kind of link."""
    waiting = set(Contact.objects.filter(confirmed_at=None).values_list("reference", flat=True))
    for mail in at_arrival():
        kind = registry.KINDS[mail.kind]
        is_done = purpose == "contact_confirm" and mail.letter.recipient_id not in waiting
        if purpose in (kind.link, kind.unsubscribe) and not is_done:
            break
    before, browser = dump(), Client()
    shown, nobody = filled(browser.get(mail.path)), {"delegate-TOTAL_FORMS": 0, "delegate-INITIAL_FORMS": 0}
    browser.post(mail.path, {**shown, **nobody, "note": "We come.", "answer": "same"})
    assert dump() != before
