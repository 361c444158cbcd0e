"""Who is told of the call: sign-up, confirmation, leaving, and the call itself."""

import gzip
import re
from datetime import date, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications import mailings
from applications.models import Contact
from presessions.mail import schedule
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import closes_after, geneva
from tests.applications.factories import CLOSES_AT, MONDAY, ContactFactory, StateCallFactory
from tests.mail.letters import body_of, message_of
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, StateFactory

pytestmark = pytest.mark.django_db

ADDRESS = "reader@example.org"


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


def sign_up(client, clock, email=ADDRESS, **more):
    page = client.get(reverse("applications:contact_signup")).content.decode()
    clock.shift(timedelta(seconds=20))
    shown = re.search(r'name="shown" value="([^"]+)"', page)[1]
    facts = {"email": email, "language": "en", "shown": shown, **more}
    return client.post(reverse("applications:contact_signup"), facts)


def path_in(letter, page):
    return re.search(rf"https?://[^/]+(/\S*/{page}/\S+)", body_of(letter))[1]


def test_an_address_counts_once_it_has_confirmed_itself(client, clock):
    assert sign_up(client, clock).url == reverse("applications:contact_sent")
    assert not Contact.objects.confirmed().exists()
    address = path_in(Letter.objects.get(), "confirm")
    assert client.get(address).status_code == 200
    assert client.head(address).status_code == 200
    assert not Contact.objects.confirmed().exists()
    for _click in range(2):
        assert "confirmed" in client.post(address).content.decode()
    assert Contact.objects.confirmed().get().email == ADDRESS


def test_known_and_unknown_addresses_are_answered_alike(client, clock):
    ContactFactory(email=ADDRESS)
    answers = [sign_up(client, clock, email=email) for email in (ADDRESS, "new@example.org")]
    assert len({(answer.status_code, answer.url, answer.content) for answer in answers}) == 1
    assert Letter.objects.filter(created_at__gt=MONDAY).count() == 2


def test_a_confirmation_link_lives_seven_days(client, clock):
    sign_up(client, clock)
    address = path_in(Letter.objects.get(), "confirm")
    clock.shift(timedelta(days=7))
    assert client.post(address).status_code == 404
    assert not Contact.objects.confirmed().exists()


def test_nobody_changes_somebody_elses_wishes(client, clock):
    StateFactory(iso2="KE")
    ContactFactory(email=ADDRESS)
    sign_up(client, clock, states=["KE"])
    assert list(Contact.objects.confirmed().get().states.all()) == []
    client.post(path_in(Letter.objects.last(), "confirm"))
    assert [state.pk for state in Contact.objects.confirmed().get().states.all()] == ["KE"]


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar", "ru", "zh"])
def test_letters_can_be_asked_for_in_six_languages(client, clock, language):
    sign_up(client, clock, language=language)
    assert Contact.objects.get().language == language


# --- States of interest -----------------------------------------------------------------------------------------------


def groups(client, language="en"):
    """{heading: the States under it}, and which headings are folded up."""
    page = client.get(f"/{language}/contacts/")
    found = page.context["form"].groups()
    return {group.name: [code for code, _name, _chosen in group.states] for group in found}, {
        group.name for group in found if group.folded
    }


def test_states_of_the_coming_series_stand_first_and_all_others_by_their_region(client, clock):
    session = SeriesFactory().session
    for code in ("KE", "TR"):
        StateCallFactory(meeting=CountryMeetingFactory(series=session.series, state=StateFactory(iso2=code)))
    for code in ("SN", "ZW", "CL"):
        StateFactory(iso2=code)
    found, folded = groups(client)
    assert list(found) == ["Pre-sessions 54", "African States", "Latin American and Caribbean States"]
    assert found["Pre-sessions 54"] == ["KE", "TR"]
    assert found["African States"] == ["SN", "ZW"]
    assert folded == {"African States", "Latin American and Caribbean States"}


def test_a_state_whose_deadline_has_passed_stands_with_its_region(client, clock):
    kenya = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    clock.move_to(kenya.deadline - timedelta(seconds=1))
    assert "Pre-sessions 54" in groups(client)[0]
    clock.move_to(kenya.deadline)
    assert groups(client) == ({"African States": ["KE"]}, {"African States"})


def test_states_are_sorted_as_the_readers_language_sorts_them(client, clock):
    for code, name in (("EG", "Égypte"), ("ZA", "Afrique du Sud"), ("SN", "Sénégal")):
        StateFactory(iso2=code, name_fr=name)
    assert list(groups(client, "fr")[0].values()) == [["ZA", "EG", "SN"]]


def test_a_mistake_elsewhere_keeps_what_was_chosen_in_sight(client, clock):
    StateFactory(iso2="SN")
    page = sign_up(client, clock, email="nobody", states=["SN"]).content.decode()
    assert re.search(r'value="SN" id="sSN" checked', page)
    assert "<details open>" in page


def test_the_page_costs_the_same_queries_for_one_state_and_for_many(client, clock, django_assert_num_queries):
    StateFactory(iso2="SN")
    for codes in ((), ("KE", "TR", "CL", "FR", "BR", "ZW")):
        for code in codes:
            StateFactory(iso2=code)
        with django_assert_num_queries(2):
            client.get(reverse("applications:contact_signup"))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_with_all_193_states_is_small_enough_for_a_bad_line(client, clock, language):
    call_command("load_calendar", verbosity=0, stdout=StringIO())
    page = client.get(f"/{language}/contacts/", headers={"accept-encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(page.content).count(b'name="states"') == 193
    assert len(page.content) <= 8_000  # of the 15,000 of a first visit; the style sheet takes less than 5,000


# --- The call ---------------------------------------------------------------------------------------------------------


def called(state_call):
    mailing = Mailing.objects.get(kind="call", series=state_call.series)
    return {recipient.to for recipient in mailings.call(mailing)}


def test_the_call_goes_to_those_who_want_all_states_or_one_of_these():
    kenya = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    ContactFactory(email="all@example.org")
    ContactFactory(email="kenya@example.org", states=[kenya.state])
    ContactFactory(email="chile@example.org", states=[StateFactory(iso2="CL")])
    ContactFactory(email="unconfirmed@example.org", confirmed=False)
    ContactFactory(email="gone@example.org").leave(now=MONDAY)
    assert called(kenya) == {"all@example.org", "kenya@example.org"}


def the_call(contact, now):
    """The call as it is written to this contact."""
    state_call = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    mailing = Mailing.objects.get(kind="call", series=state_call.series)
    due_at = now + timedelta(minutes=1)
    mailing.move_to(due_at, by=None, now=now)
    schedule.write_due(now=due_at)
    return Letter.objects.get(kind="call", recipient_id=contact.reference)


def test_the_call_names_states_and_deadlines_and_how_to_leave(client):
    letter = the_call(ContactFactory(), MONDAY)
    assert letter.subject == "Call for applications: Pre-sessions 54"
    assert "Kenya: Sun 22 March 2026, 23:59 Geneva time" in body_of(letter)
    assert "/en/54/" in body_of(letter)
    headers = message_of(letter)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert path_in(letter, "leave") in headers["List-Unsubscribe"]


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_one_click_in_the_mail_program_leaves_without_cookies(form):
    """RFC 8058: one POST to the address in the header, answered at once; no cookie, no redirect, no second question."""
    contact = ContactFactory()
    (address,) = re.findall(r"<http://testserver(/\S+)>", message_of(the_call(contact, MONDAY))["List-Unsubscribe"])
    posted = "List-Unsubscribe=One-Click"
    if "boundary" in form:
        posted = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    for _click in range(2):
        answer = Client(enforce_csrf_checks=True).post(address, posted, content_type=form)
        assert (answer.status_code, answer.cookies.output()) == (200, "")
    contact.refresh_from_db()
    assert (contact.email, contact.left_at is not None) == ("", True)
    assert not mailings.still_a_contact(Letter.objects.get(kind="call"))


def test_who_has_left_is_not_promised_to_be_erased_again():
    address = path_in(the_call(ContactFactory(), MONDAY), "leave")
    assert "We have erased your address" in Client().post(address).content.decode()
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code == 200
        assert "You had left already." in answer.content.decode()
        assert "erased" not in answer.content.decode() and "we erase" not in answer.content.decode()


def test_an_old_link_still_takes_off_the_list_who_has_signed_up_again():
    contact = ContactFactory(email=ADDRESS)
    address = path_in(the_call(contact, MONDAY), "leave")
    contact.leave(now=MONDAY)
    ContactFactory(email=ADDRESS)
    assert "Take me off the list" in Client().get(address).content.decode()
    Client().post(address)
    assert not Contact.objects.confirmed().exists()


def test_looking_at_the_address_in_the_header_leaves_nothing():
    contact = ContactFactory()
    address = path_in(the_call(contact, MONDAY), "leave")
    for _look in range(3):
        assert Client().get(address).status_code == Client().head(address).status_code == 200
    assert '<form method="post">' in Client().get(address).content.decode()
    assert Contact.objects.confirmed().exists()


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"List-Unsubscribe": "One-Click", "more": "x"},
        {"List-Unsubscribe": "one-click"},
        {"list-unsubscribe": "One-Click"},
    ],
)
def test_any_other_post_must_come_from_our_page(posted):
    address = path_in(the_call(ContactFactory(), MONDAY), "leave")
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(address, posted).status_code == 403
    assert Contact.objects.confirmed().exists()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(address).content.decode())[1]
    assert browser.post(address, {**posted, "csrfmiddlewaretoken": token}).status_code == 200
    assert not Contact.objects.confirmed().exists()


def test_one_click_on_an_address_that_was_never_given_finds_nothing():
    address = reverse("applications:contact_leave", args=["x" * 43])
    assert Client(enforce_csrf_checks=True).post(address, {"List-Unsubscribe": "One-Click"}).status_code == 404


def test_the_deadline_is_the_latest_of_the_series_or_the_states_own():
    kenya = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    turkey = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="TR")))
    turkey.extend(CLOSES_AT + timedelta(days=3), now=MONDAY)
    assert mailings.deadline(kenya.series, None) == CLOSES_AT + timedelta(days=3)
    assert mailings.deadline(kenya.series, kenya.meeting) == CLOSES_AT


def test_without_a_call_the_deadline_is_unknown_and_the_mailing_waits():
    assert mailings.deadline(SeriesFactory(), None) is None


def test_moving_a_deadline_moves_what_hangs_on_it():
    january = geneva(date(2026, 1, 5), 10)
    kenya = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")), now=january)
    mailing = Mailing.objects.get(kind="call")
    assert mailing.due_at == geneva(date(2026, 2, 4), 9)  # three months before the Working Group
    kenya.call.move_deadline(closes_after(date(2026, 2, 15)), now=january)
    mailing.refresh_from_db()
    assert (mailing.due_at, mailing.decided_by) == (geneva(date(2026, 1, 18), 9), "latest")


def test_a_state_that_joins_later_gets_its_call_by_itself():
    kenya = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    later = CountryMeetingFactory(state=StateFactory(iso2="TR"))
    kenya.series.announce_dates(now=timezone.now())
    assert later.state_call.call == kenya.call
