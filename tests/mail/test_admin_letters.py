"""The outbox: staff see what became of each letter, find it, read exactly what was sent, and act by steps."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from presessions.mail import delivery, troubles
from presessions.mail.admin import listing
from presessions.mail.models import Letter, LinkVisit, PersonalLink
from presessions.mail.registry import Recipient
from presessions.trail.models import Event, Reason
from tests.accounts.factories import StaffFactory
from tests.mail.factories import LONG_BEFORE, make_series, put, sending_mailing
from tests.mail.letters import link_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
LETTERS = "/admin/mail/letter/"
AMERICAN = re.compile(r"\b(Jan|Feb|Aug|Sept|Oct|Nov|Dec)\. \d|\b[ap]\.m\.|\d+/\d+/\d{4}")


@pytest.fixture
def staff(client, user):
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def page(letter):
    return reverse("admin:mail_letter_change", args=[letter.pk])


def text_of(client, url, *asked):
    return client.get(url, *asked).content.decode()


def search(client, words, **filters):
    """The letters found by typing these words and pressing the button, and the address line after it."""
    line = client_line(client, words, **filters)
    return list(client.get(line).context["cl"].result_list), line


def client_line(client, words, **filters):
    """Where the browser is sent after these words were typed."""
    return client.post(f"{LETTERS}?{urlencode(filters)}", {"q": words}).url


def take(client, letter, step, **typed):
    """Press a button on the letter's page; what the next page says."""
    answer = client.post(page(letter), {"step": step, **typed}, follow=True)
    letter.refresh_from_db()
    return answer.content.decode()


def in_state(state, **fields):
    letter = put(**fields)
    facts = {"uncertain_at": NOW, "next_attempt_at": None} if state == "uncertain" else {}
    Letter.objects.filter(pk=letter.pk).update(state=state, **facts)
    letter.refresh_from_db()
    return letter


# --- The list -------------------------------------------------------------------------------------------------------


def test_the_outbox_opens_on_what_needs_a_person_and_says_how_much_it_is(staff):
    for state in Letter.State.values:
        in_state(state, id=f"({state})")
    text = text_of(staff, LETTERS)
    shown = {state for state in Letter.State.values if f"({state})" in text}
    assert shown == {"failed", "uncertain", "bounced"}
    assert "Outbox: 3 letters to look at" in text


def test_with_nothing_to_look_at_it_says_so(staff):
    in_state("sent")
    assert "Outbox: nothing to look at" in text_of(staff, LETTERS)


def test_what_was_written_anew_need_not_be_looked_at_any_more(staff):
    failed = in_state("failed", id="(failed)")
    assert "(failed)" in text_of(staff, LETTERS)
    put(replaces=failed)
    assert "(failed)" not in text_of(staff, LETTERS)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"eyes": "all"}, {"sent", "pending", "failed"}),
        ({"eyes": "waiting"}, {"pending"}),
        ({"eyes": "settled"}, {"sent", "failed"}),
        ({"state__exact": "sent"}, {"sent"}),
        ({"kind": "receipt", "eyes": "all"}, {"sent", "pending", "failed"}),
        ({"kind": "note", "eyes": "all"}, set()),
    ],
)
def test_it_is_narrowed_by_state_and_kind(staff, asked, shown):
    for state in ("sent", "pending", "failed"):
        in_state(state, id=f"({state})")
    text = text_of(staff, LETTERS, asked)
    assert {state for state in ("sent", "pending", "failed") if f"({state})" in text} == shown


def test_the_alarm_leads_to_those_that_failed_or_expired_after_they_were_tried(staff):
    failed, tried, _never, bounced = map(in_state, ("failed", "expired", "expired", "bounced"))
    Letter.objects.filter(pk=tried.pk).update(deferrals=3)
    shown = staff.get(troubles.Trouble("failed").url).context["cl"].result_list
    assert set(shown) == {failed, tried}
    assert set(staff.get(LETTERS).context["cl"].result_list) == {failed, tried, bounced}
    take(staff, tried, "drop", reason="Reached by telephone.")
    assert set(staff.get(LETTERS).context["cl"].result_list) == {failed, bounced}


def test_and_by_mailing(staff):
    mailing = sending_mailing()
    mailing.writing_at = NOW
    mailing.save()
    put("invitation", mailing=mailing, id="(invited)")
    put(id="(another)")
    assert str(mailing) in text_of(staff, LETTERS, {"eyes": "all"})  # can be chosen
    text = text_of(staff, LETTERS, {"mailing__id__exact": mailing.pk})
    assert "(invited)" in text
    assert "(another)" not in text


@pytest.mark.parametrize("asked", ["x", "-1", "9" * 40, "١"])
def test_a_mailing_that_is_none_shows_no_letter(staff, asked):
    put()
    answer = staff.get(LETTERS, {"mailing__id__exact": asked}, follow=True)
    assert answer.status_code == 200


def test_a_row_says_to_whom_what_state_how_often_tried_and_the_last_answer_in_words(staff):
    letter = in_state("failed")
    Letter.objects.update(last_code="timeout", attempts=3)
    text = text_of(staff, LETTERS)
    for words in (f"person {letter.recipient_id}", "receipt", "failed", "the server did not answer in time", ">3<"):
        assert words in text
    assert "Mon 5 January 2026, 10:00 Geneva time" in text
    assert not AMERICAN.search(text)


def test_recipients_are_named_by_their_room_with_one_question_for_the_whole_page(staff, timetable):
    asked = []

    def label(letters):
        asked.append({letter.recipient_id for letter in letters})
        return {"1": "Kenya", "2": "Türkiye"}

    timetable.recipient("person", label=label)
    for number in ("1", "2", "3"):
        in_state("failed", id=number)
    text = text_of(staff, LETTERS)
    assert asked == [{"1", "2", "3"}]
    for words in ("Kenya", "Türkiye", "person 3"):
        assert words in text


@pytest.mark.parametrize("many", [1, 8])
def test_a_list_of_many_costs_what_a_list_of_one_costs(staff, many, django_assert_num_queries):
    for number in range(many):
        put("invitation", mailing=make_series(number=number + 1).mailings.get(kind="invitation"))
    staff.get(LETTERS)
    with django_assert_num_queries(7):  # of them three for who asks: session, person, phone
        assert len(staff.get(LETTERS, {"eyes": "all"}).context["cl"].result_list) == many


def test_a_long_list_counts_and_leafs_only_so_far_and_says_so(staff, monkeypatch):
    monkeypatch.setattr(listing, "MOST", 2)
    for _ in range(3):
        in_state("failed")
    answer = staff.get(LETTERS)
    assert answer.context["cl"].result_count == 2
    assert "search for the others" in answer.content.decode()


# --- Searching ------------------------------------------------------------------------------------------------------


def test_a_letter_is_found_by_its_whole_address_its_key_its_recipient_and_its_message_id(staff, timetable):
    timetable.recipient("person")
    letter = put(key="receipt:K7QF2:1", id="K7QF2-9MXA4", to="amina@example.org")
    put(to="other@example.org")
    for words in (
        "amina@example.org",
        " AMINA@example.org ",
        "receipt:K7QF2",
        "K7QF2-9MXA4",
        "k7qf2-9mxa4",
        letter.message_id,
        letter.message_id.strip("<>"),
    ):
        found, _line = search(staff, words)
        assert [one.pk for one in found] == [letter.pk], words


def test_not_by_a_part_of_its_address(staff):
    put(to="amina@example.org")
    for words in ("amina", "amina@example", "@example.org"):
        assert search(staff, words)[0] == []


def test_by_the_name_of_its_recipient_if_the_room_says_whom_it_means(staff, timetable):
    timetable.recipient("person", find=lambda text: [7, 8] if text == "Ĝenevo" else [])
    letter = put(id="7")
    put(id="9")
    assert [one.pk for one in search(staff, "Ĝenevo")[0]] == [letter.pk]


def test_a_search_looks_at_settled_letters_too_and_keeps_the_filters_but_not_the_page(staff):
    letter = in_state("sent", key="receipt:1:1")
    found, line = search(staff, "receipt:1", eyes="look", p="2", kind="receipt")
    assert [one.pk for one in found] == [letter.pk]
    assert line == f"{LETTERS}?kind=receipt&q=receipt%3A1"


def test_no_address_stands_in_the_address_line_the_title_or_the_list(staff):
    put(to="amina@example.org")
    found, line = search(staff, "amina@example.org")
    assert len(found) == 1
    assert "amina" not in line
    assert "amina" not in text_of(staff, line)
    assert "1 letter to the address that you asked for" in re.sub(r"\s+", " ", text_of(staff, line))


@pytest.mark.parametrize(
    "words", ["Kenya", "invitation:1", "K7QF2-9MXA4", "x@example.org", f"<{'a' * 32}@example.org>"]
)
def test_every_search_goes_by_an_index_and_never_along_all_letters(staff, timetable, words):
    for kind in ("person", "mission"):
        timetable.recipient(kind, find=lambda text: ["7", "8"])
    put()
    own = ("id", "key", "recipient_id", "created_at")
    names = ", ".join(f'"{field.column}"' for field in Letter._meta.fields if field.column not in own)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO mail_letter (key, recipient_id, created_at, {names}) "
            f"SELECT 'old:' || n, n % 9, created_at - n * interval '1 minute', {names} "
            "FROM mail_letter, generate_series(1, 5000) n"
        )
        cursor.execute("ANALYZE mail_letter")
    line = client_line(staff, words)
    with CaptureQueriesContext(connection) as queries:
        staff.get(line)
    asked = [query["sql"] for query in queries if 'FROM "mail_letter"' in query["sql"] and "LIMIT" in query["sql"]]
    assert len(asked) >= 3  # how many to look at, how many found, and the page of them
    for sql in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Seq Scan on mail_letter" not in plan
        assert "letter_newest" not in plan


def test_the_log_of_a_search_names_nobody(staff, caplog):
    put(to="amina@example.org")
    with caplog.at_level("DEBUG"):
        search(staff, "amina@example.org")
        staff.get(page(Letter.objects.get()))
    assert "amina" not in caplog.text


def test_lists_open_no_sealed_column(staff, monkeypatch):
    in_state("failed", to="amina@example.org")
    monkeypatch.setattr("presessions.vault.decrypt", None)
    assert "amina" not in text_of(staff, f"{LETTERS}?eyes=all")


# --- One letter -----------------------------------------------------------------------------------------------------


def test_its_page_shows_tries_answers_and_the_text_with_its_link_struck_out(staff, sink):
    letter = put(to="amina@example.org")
    token = link_in(letter).rstrip("/").split("/")[-1]
    before = text_of(staff, page(letter))
    sink.order(RCPT=["550 amina is unknown"])
    delivery.drain(0, now=lambda: NOW)
    after = text_of(staff, page(letter))
    for words in ("amina@example.org", "Please open", "[struck out]", "550", "amina is unknown", "Mon 5 January 2026"):
        assert words in after
    for text in (before, after):
        assert "[struck out]" in text
        assert token not in text
        assert not AMERICAN.search(text)


def test_its_title_names_the_recipient_and_no_address(staff, timetable):
    timetable.recipient("person", label=lambda letters: {"7": "Kenya"})
    title = re.search(r"<title>(.*?)</title>", text_of(staff, page(put(id="7", to="amina@example.org"))), re.DOTALL)[1]
    assert "Receipt – Kenya" in title
    assert "amina" not in title


def test_a_recipient_leads_to_its_page(staff, timetable):
    timetable.recipient("person", admin_url=lambda letter: f"/admin/people/{letter.recipient_id}/")
    assert 'href="/admin/people/7/"' in text_of(staff, page(put(id="7")))


def test_all_copies_are_shown_and_lead_to_each_other(staff):
    first = in_state("failed", key="receipt:7:1")
    second = put(key="receipt:7:1/2", replaces=first)
    put(key="receipt:7:12")  # of somebody else
    for letter, other in ((first, second), (second, first)):
        text = text_of(staff, page(letter))
        assert text.count("Copy ") == 2
        assert f"Copy {letter.copy}, this one" in text
        assert f'href="{page(other)}"' in text
    assert "All copies" not in text_of(staff, page(put()))


def test_that_its_link_was_fetched_is_told_apart_from_an_answer(staff, timetable):
    answered = {"at": None}
    timetable.link_purpose("invitation", path=lambda token: f"/{token}/", answered=lambda link: answered["at"])
    letter = put()
    link = PersonalLink.objects.get()
    LinkVisit.objects.create(link=link, at=NOW, method="GET", maybe_filter=True)
    text = text_of(staff, page(letter))
    assert "may be a mail filter" in text
    assert "not that we know of" in text
    answered["at"] = NOW + timedelta(days=1)
    assert "Tue 6 January 2026, 10:00 Geneva time" in text_of(staff, page(letter))


def test_of_many_visits_the_last_are_told_and_the_others_counted(staff):
    letter, link = put(), PersonalLink.objects.get()
    for number in range(23):
        LinkVisit.objects.create(link=link, at=NOW + timedelta(minutes=number), method="GET", maybe_filter=False)
    assert "and 3 more times before" in re.sub(r"\s+", " ", text_of(staff, page(letter)))


def test_looking_changes_nothing_and_its_bytes_stay_where_they_are(staff):
    letter = put()
    before = Letter.objects.values().get(), Event.objects.count()
    for url in (page(letter), reverse("admin:mail_letter_html", args=[letter.pk]), LETTERS):
        staff.get(url)
        staff.head(url)
    assert (Letter.objects.values().get(), Event.objects.count()) == before


# --- The HTML, in a frame that may do nothing -------------------------------------------------------------------------


def html_of(letter, html="<p style='color:red'>Hello <script>alert(1)</script></p>"):
    Letter.objects.filter(pk=letter.pk).update(kept_html=html)
    return reverse("admin:mail_letter_html", args=[letter.pk])


def test_the_html_is_shown_in_a_sandboxed_frame(staff):
    letter = put()
    url = html_of(letter)
    frame = re.search(r"<iframe[^>]*>", text_of(staff, page(letter)))[0]
    assert f'src="{url}"' in frame
    assert re.search(r"\ssandbox(?=[\s>])(?!=)", frame), "sandbox without any permission"
    assert 'title="' in frame


def test_and_says_itself_that_it_may_do_nothing_but_be_looked_at(staff):
    answer = staff.get(html_of(put()))
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy == {
        "sandbox": "",
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
    }
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert "Hello" in answer.content.decode()


def test_pages_around_it_keep_the_strict_policy(staff):
    letter = put()
    html_of(letter)
    policy = staff.get(page(letter))["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "script-src 'self'" in policy


def test_a_letter_without_html_has_no_frame(staff):
    letter = put()
    url = html_of(letter, "")
    assert "<iframe" not in text_of(staff, page(letter))
    assert staff.get(url).status_code == 404
    assert staff.get(reverse("admin:mail_letter_html", args=[0])).status_code == 404


# --- Steps ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("uncertain", {"arrived", "send_again", "drop"}),
        ("pending", {"drop"}),
        ("deferred", {"drop"}),
        ("sending", set()),
        ("sent", {"send_again"}),
        ("failed", {"send_again", "drop"}),
        ("bounced", {"send_again", "drop"}),
        ("expired", {"send_again", "drop"}),
        ("cancelled", {"send_again"}),
    ],
)
def test_only_what_can_be_done_is_offered_and_each_says_what_it_means(staff, state, offered):
    text = text_of(staff, page(in_state(state)))
    assert set(re.findall(r'name="step" value="(\w+)"', text)) == offered
    assert set(re.findall(r'id="meaning-(\w+)">[A-Z]', text)) == offered


@pytest.mark.parametrize(("step", "state"), [("arrived", "sent"), ("drop", "cancelled")])
@pytest.mark.parametrize("reason", [{}, {"reason": ""}, {"reason": " \t"}])
def test_nothing_is_settled_by_hand_without_a_reason(staff, step, state, reason):
    letter = in_state("uncertain")
    text = take(staff, letter, step, **reason)
    assert letter.state == "uncertain"
    assert f'id="wrong-{step}"' in text
    assert re.search(
        rf'<details class="step" open>\s*<summary>[^<]*</summary>(?:(?!</details>).)*value="{step}"', text, re.S
    )
    assert "Done." in take(staff, letter, step, reason="told by phone")
    assert letter.state == state
    assert Reason.objects.get().text == "told by phone"
    assert "is already" in take(staff, letter, "drop", reason="once more")


def test_a_failed_letter_that_nobody_can_help_is_dropped_from_the_list(staff):
    letter = in_state("failed", id="(failed)")
    take(staff, letter, "drop", reason="the mission was closed")
    assert "(failed)" not in text_of(staff, LETTERS)
    assert letter.frozen == b""


def test_sent_again_the_page_leads_to_the_new_letter(staff, timetable):
    timetable.occasion(
        "answer", label="answer", template="plain", rewrite=lambda letter: Recipient("person", "1", to="b@example.org")
    )
    letter = in_state("failed", kind="answer")
    text = take(staff, letter, "send_again")
    assert page(letter.replaced_by.get()) in text
    assert set(re.findall(r'name="step" value="(\w+)"', text)) == set()


def test_unknown_steps_and_rows_are_not_found(staff):
    assert staff.post(page(put()), {"step": "delete"}).status_code == 404
    assert staff.get(f"{LETTERS}999999/change/", follow=True).status_code == 404


# --- Who may --------------------------------------------------------------------------------------------------------


def allowed(client, *codenames):
    """Log in a member of staff who may do just this."""
    someone = StaffFactory(is_superuser=False)
    someone.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(someone)
    return client


def test_who_may_only_look_sees_no_button_and_takes_no_step(client):
    letter = in_state("uncertain")
    allowed(client, "view_letter")
    assert 'name="step"' not in text_of(client, page(letter))
    assert client.post(page(letter), {"step": "drop", "reason": "x"}).status_code == 403
    assert client.get(html_of(letter)).status_code == 200
    assert search(client, letter.key)[0] == [letter]


def test_who_may_nothing_sees_nothing(client):
    letter = put()
    allowed(client, "view_event")
    for url in (LETTERS, page(letter), html_of(letter)):
        assert client.get(url).status_code == 403
    assert client.post(LETTERS, {"q": "x"}, follow=True).status_code == 403


def test_strangers_are_asked_to_log_in(client):
    letter = put()
    for url in (LETTERS, page(letter), html_of(letter)):
        assert client.get(url).status_code == 302
    assert client.post(LETTERS, {"q": "x"}).status_code == 302


def test_nothing_is_added_or_deleted_here(staff):
    letter = put()
    assert staff.get(f"{LETTERS}add/").status_code == 403
    assert staff.get(f"{LETTERS}{letter.pk}/delete/").status_code == 403
    assert "action-checkbox" not in text_of(staff, f"{LETTERS}?eyes=all")


# --- Pages ----------------------------------------------------------------------------------------------------------


def test_pages_carry_no_script_or_style_of_their_own(staff):
    letter = in_state("uncertain")
    for url in (LETTERS, page(letter)):
        text = text_of(staff, url)
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son\w+=", text)


def test_every_field_has_a_label_and_every_id_is_used_once(staff):
    for url in (LETTERS, page(in_state("uncertain"))):
        text = text_of(staff, url)
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        fields = set(re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*\sid="([^"]+)"', text))
        fields -= {"nav-filter"}  # Django's own, with an aria-label
        assert fields <= set(re.findall(r'<label[^>]*for="([^"]+)"', text))
