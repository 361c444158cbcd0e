"""The first log-in with a phone and codes on paper, another phone, a new password by mail."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from presessions import settings as product
from presessions.accounts import second_factor, views
from presessions.accounts.models import Authenticator
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.accounts.factories import KEY, StaffFactory, phone_of
from tests.accounts.logins import forget_proof
from tests.promises.test_c4_admin_needs_two_factors import MONDAY, PASSWORD, give_code, give_password, is_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def ada(clock):
    user = StaffFactory(email="ada@example.org", name="Ada Keller")
    user.set_password(PASSWORD)
    user.save()
    return user


def shown_by(phone):
    return second_factor.code_at(phone.key, timezone.now())


# --- The first time --------------------------------------------------------------------------------------------------


def test_the_first_log_in_sets_up_a_phone_and_shows_ten_codes_once(ada):
    browser = Client()
    enrol = give_password(browser)["Location"]
    assert enrol.startswith(reverse("admin:enrol"))
    page, phone = browser.get(enrol).content.decode(), Authenticator.objects.get(user=ada)
    assert phone.key in page and "<svg" in page
    assert not is_in(browser)
    codes = browser.post(enrol, {"code": shown_by(phone)})
    written = re.findall(r"<li>([0-9A-Z]{5}-[0-9A-Z]{5})</li>", codes.content.decode())
    assert len(set(written)) == 10
    assert "no-store" in codes["Cache-Control"]
    assert is_in(browser)
    assert phone.key not in browser.get(reverse("admin:my_log_in")).content.decode()


def test_a_wrong_first_code_sets_nothing_up(ada):
    browser = Client()
    enrol = give_password(browser)["Location"]
    assert "Check that its clock is right" in browser.post(enrol, {"code": "000000"}).content.decode()
    assert not Authenticator.objects.filter(confirmed=True).exists()
    assert not is_in(browser)


def test_a_phone_half_set_up_is_the_same_at_the_next_try(ada):
    keys = set()
    for _ in range(2):
        give_password(Client())
        keys.add(Authenticator.objects.get(user=ada).key)
    assert len(keys) == 1


def test_the_address_in_the_square_is_what_apps_read(ada, settings):
    settings.PUBLIC_URL = "https://presessions.example.org"
    phone = second_factor.begin(ada, now=MONDAY)
    assert second_factor.address(phone) == (
        "otpauth://totp/Pre-sessions%20presessions.example.org:ada@example.org"
        f"?secret={phone.key}&issuer=Pre-sessions%20presessions.example.org"
    )


def test_the_codes_are_those_of_the_standard():
    """RFC 6238, appendix B, the last six of its eight digits."""
    key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, digits in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert second_factor.code_at(key, MONDAY.fromtimestamp(seconds, tz=MONDAY.tzinfo)) == digits


# --- Another phone ---------------------------------------------------------------------------------------------------


def test_another_phone_takes_the_place_of_the_old_one_once_its_code_is_typed(client, ada):
    old = phone_of(ada)
    client.force_login(ada)
    assert client.post(reverse("admin:another_phone"))["Location"] == reverse("admin:enrol")
    new = second_factor.on_its_way(ada)
    assert second_factor.of(ada) == old
    client.post(reverse("admin:enrol"), {"code": shown_by(new)})
    assert second_factor.of(ada) == new
    assert is_in(client)
    assert not second_factor.check(ada, second_factor.code_at(KEY, timezone.now()), now=timezone.now())


def test_every_browser_but_this_one_is_logged_out(client, ada):
    elsewhere = Client()
    elsewhere.force_login(ada)
    client.force_login(ada)
    client.post(reverse("admin:log_out_elsewhere"))
    assert is_in(client) and not is_in(elsewhere)


@pytest.mark.parametrize("typed", ["UPR-Info-Geneva-2026!", "Pre-sessions54 staff", "mission mission mission"])
def test_a_password_made_of_our_own_words_is_refused(typed):
    with pytest.raises(ValidationError, match="anybody would try here first"):
        validate_password(typed)
    validate_password("tram kettle orchard violin")


@pytest.mark.parametrize("name", ["another_phone", "new_codes"])
def test_a_phone_and_codes_are_changed_by_whoever_has_just_proved_who_it_is(client, ada, name):
    client.force_login(ada)
    forget_proof(client)
    assert "Is it still you?" in client.post(reverse(f"admin:{name}")).content.decode()
    assert second_factor.on_its_way(ada) is None
    assert second_factor.codes_left(ada) == 0


@pytest.mark.parametrize("step", [{}, {"begin": "1"}, {"code": "typed"}])
def test_nobody_gives_an_unwatched_session_a_phone_of_their_own(client, ada, step):
    """The page that sets a phone up is a way in, and so stands before the steps that ask for a proof."""
    old = phone_of(ada)
    client.force_login(ada)
    new = second_factor.begin(ada, now=MONDAY)
    forget_proof(client)
    typed = {name: shown_by(new) if name == "code" else value for name, value in step.items()}
    answer = client.post(reverse("admin:enrol"), typed) if step else client.get(reverse("admin:enrol"))
    assert "Is it still you?" in answer.content.decode()
    assert new.key not in answer.content.decode()
    assert second_factor.of(ada) == old


def test_once_proved_the_phone_is_set_up_as_ever(client, ada):
    old = phone_of(ada)
    client.force_login(ada)
    new = second_factor.begin(ada, now=MONDAY)
    forget_proof(client)
    proof = {"proof_code": shown_by(old), "proof_only_looked": "yes"}
    assert client.post(reverse("admin:enrol"), proof)["Location"] == reverse("admin:enrol")
    client.post(reverse("admin:enrol"), {"code": shown_by(new)})
    assert second_factor.of(ada) == new


def test_an_unwatched_session_finds_out_no_password_by_trying_to_change_it(client, ada):
    client.force_login(ada)
    forget_proof(client)
    change = reverse("admin:password_change")
    typed = {"old_password": PASSWORD, "new_password1": "Quite-another-1", "new_password2": "Quite-another-1"}
    assert client.post(change, typed)["Location"] == change  # nothing that was typed comes along in a page
    assert "Is it still you?" in client.get(change).content.decode()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    proof = {"proof_code": shown_by(phone_of(ada)), "proof_only_looked": "yes"}
    assert client.post(change, proof)["Location"] == change
    client.post(change, typed)
    ada.refresh_from_db()
    assert ada.check_password("Quite-another-1")


def test_new_codes_are_shown_once_and_counted(client, ada):
    client.force_login(ada)
    assert "They are shown only now" in client.post(reverse("admin:new_codes")).content.decode()
    assert "10 codes on paper are left" in client.get(reverse("admin:my_log_in")).content.decode()


# --- The language of the desk ----------------------------------------------------------------------------------------


def test_everybody_chooses_the_language_of_the_desk(client, ada):
    client.force_login(ada)
    mine = reverse("admin:my_log_in")
    answer = client.post(mine, {"language": "fr"}, follow=True)
    assert answer.redirect_chain == [(mine, 302)]
    assert '<html lang="fr"' in answer.content.decode()
    ada.refresh_from_db()
    assert ada.language == "fr"
    event = Event.objects.about(ada).get()
    assert (event.code, event.staff_id) == ("staff_changed", ada.pk)


def test_the_language_that_one_has_already_is_no_change(client, ada):
    client.force_login(ada)
    client.post(reverse("admin:my_log_in"), {"language": "en"})
    assert not Event.objects.exists()


@pytest.mark.parametrize("typed", [{}, {"language": ""}, {"language": "zh"}, {"is_superuser": "on", "language": "xx"}])
def test_a_language_that_the_desk_does_not_speak_is_refused_on_the_page(client, ada, typed):
    client.force_login(ada)
    answer = client.post(reverse("admin:my_log_in"), typed)
    assert (answer.status_code, "errorlist" in answer.content.decode()) == (200, True)
    assert '<html lang="en"' in answer.content.decode()
    ada.refresh_from_db()
    assert ada.language == "en"


# --- Where to --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "leads_to"),
    [
        ("/admin/accounts/user/?q=x", "/admin/accounts/user/?q=x"),
        ("https://evil.example/admin/", "/admin/"),
        ("//evil.example", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
    ],
)
def test_after_both_steps_one_is_where_one_wanted_to_be_and_never_elsewhere(ada, wish, leads_to):
    phone, browser = phone_of(ada), Client()
    there = give_password(browser, next=wish)["Location"]
    page = browser.get(there)
    answer = browser.post(reverse("admin:second_factor"), {"code": shown_by(phone), "next": page.context["next"]})
    assert answer["Location"] == leads_to


def test_the_key_of_the_session_changes_with_each_factor(ada):
    phone, browser, keys = phone_of(ada), Client(), []
    for step in (lambda: give_password(browser), lambda: give_code(browser, shown_by(phone))):
        step()
        keys.append(browser.session.session_key)
    assert len(set(keys)) == 2


def test_logging_out_leads_to_the_log_in_and_says_so(client, ada):
    client.force_login(ada)
    page = client.post(reverse("admin:logout"), follow=True)
    assert page.redirect_chain == [(reverse("admin:login"), 302)]
    assert "You are logged out." in page.content.decode()
    assert not is_in(client)


# --- A new password --------------------------------------------------------------------------------------------------


@pytest.fixture
def post_office(settings, monkeypatch):
    """The product's own way of mail: letters in the outbox. Nobody waits for the time that makes answers equal."""
    settings.EMAIL_BACKEND = product.EMAIL_BACKEND
    monkeypatch.setattr(views, "TAKES", 0)


def ask(email, client=None):
    return (client or Client()).post(reverse("admin:forgotten"), {"email": email}, follow=True)


def link():
    body = bytes(Letter.objects.get().frozen).decode()
    return re.search(r"https?://[^/\s]+(/admin/password/new/\S+)", body.replace("=\r\n", ""))[1]


def test_a_link_by_mail_leads_to_a_new_password_once(ada, post_office):
    ask("ADA@example.org")
    address = link()
    assert Client().get(address).status_code == 200
    new = {"new_password1": "another long password", "new_password2": "another long password"}
    assert Client().post(address, new)["Location"] == reverse("admin:login")
    assert Client().get(address).status_code == 404
    assert give_password(Client()).status_code == 200
    browser = Client()
    assert give_password(browser, new["new_password1"]).status_code == 302
    assert not is_in(browser)  # the phone is still asked for


def test_the_letter_names_nobody_and_its_subject_says_nothing(ada, post_office):
    ask(ada.email)
    letter = Letter.objects.get()
    assert letter.subject == "Your log-in at the Pre-sessions desk"
    assert "Ada" not in bytes(letter.frozen).decode()


def test_a_new_password_ends_the_sessions_of_the_old_one(client, ada, post_office):
    client.force_login(ada)
    ask(ada.email)
    Client().post(link(), {"new_password1": "another long password", "new_password2": "another long password"})
    assert not is_in(client)
    assert [event.code for event in Event.objects.about(ada)] == ["link_sent", "password_set"]


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org", "gone@example.org", "reader@example.org"])
def test_the_answer_is_the_same_for_everybody(ada, post_office, email):
    StaffFactory(email="gone@example.org", is_active=False)
    StaffFactory(email="reader@example.org", is_staff=False)
    page = ask(email)
    assert [step for step, _status in page.redirect_chain] == [reverse("admin:forgotten_asked")]
    assert email not in page.content.decode()
    assert Letter.objects.count() == (email == "ada@example.org")


def test_the_answer_takes_as_long_for_somebody_as_for_nobody(ada, post_office, monkeypatch):
    slept = []
    monkeypatch.setattr(views, "TAKES", 60)
    monkeypatch.setattr(views, "sleep", slept.append)
    for email in ("ada@example.org", "nobody@example.org"):
        ask(email)
    assert len(slept) == 2 and all(55 < seconds <= 60 for seconds in slept)


def test_nobodys_mailbox_is_filled(ada, post_office):
    for _ in range(20):
        ask(ada.email)
    assert Letter.objects.count() == 5


@pytest.mark.parametrize("hours", [0, 25])
def test_a_link_lives_for_a_day(ada, post_office, clock, hours):
    ask(ada.email)
    clock.move_to(MONDAY + timedelta(hours=hours))
    assert Client().get(link()).status_code == (404 if hours else 200)


@pytest.mark.parametrize("uid", ["x", "MQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "é", "LTE"])
def test_a_link_that_is_none_gets_the_same_page_as_an_old_one(db, uid):
    page = Client().get(reverse("admin:new_password", args=[uid, "abc-def"]))
    assert (page.status_code, "This link is over" in page.content.decode()) == (404, True)


def test_a_poor_password_is_refused_with_the_reason(ada, post_office):
    ask(ada.email)
    page = Client().post(link(), {"new_password1": "password1234", "new_password2": "password1234"})
    assert "too common" in page.content.decode()


def test_whoever_was_guessed_at_begins_anew_with_a_new_password(ada, post_office):
    for _ in range(6):
        give_password(Client(), "a guess")
    ask(ada.email)
    new = {"new_password1": "another long password", "new_password2": "another long password"}
    Client().post(link(), new)
    assert give_password(Client(), new["new_password1"]).status_code == 302


def test_looking_at_a_link_changes_nothing(ada, post_office):
    ask(ada.email)
    before = list(Event.objects.values())
    browser = Client()
    for method in (browser.get, browser.head):
        assert method(link()).status_code == 200
    assert list(Event.objects.values()) == before
    assert SESSION_KEY not in browser.session
