"""What a letter is made of, and what stands about it in the database."""

import hashlib
import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

import pytest
from django.core.mail import EmailMessage, send_mail
from django.db import connection, transaction

from presessions import vault
from presessions.mail import letters, links, outbox
from presessions.mail.models import Letter, PersonalLink
from tests.mail.factories import LONG_BEFORE, make_series, put
from tests.mail.letters import body_of, content_of, link_in, message_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]


def stored_bytes():
    """Every byte of every column of this room."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'mail\\_%'")
        tables = [name for (name,) in cursor.fetchall()]
        dump = b""
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                dump += b"\n".join(bytes(v) if isinstance(v, memoryview) else str(v).encode() for v in row)
    return dump


def test_one_key_is_one_letter():
    first, second = put(key="receipt:A:1"), put(key="receipt:A:1", to="other@example.org")
    assert first.pk == second.pk
    assert Letter.objects.count() == PersonalLink.objects.count() == 1


def test_the_same_key_put_down_by_somebody_else_meanwhile_is_theirs(monkeypatch):
    theirs = put(key="receipt:A:1")
    monkeypatch.setattr(Letter.objects, "filter", lambda **k: Letter.objects.none())  # we looked before they wrote
    assert put(key="receipt:A:1").pk == theirs.pk


def test_a_letter_and_its_step_are_there_together_or_not_at_all():
    with transaction.atomic():
        put()
        transaction.set_rollback(True)
    assert not Letter.objects.exists()


def test_headers_are_those_of_the_design(settings):
    settings.MAIL_FROM, settings.MAIL_DOMAIN = "presessions@upr.example.org", "upr.example.org"
    mail = message_of(put())
    assert mail["From"] == "UPR Info <presessions@upr.example.org>"
    assert (mail["To"], mail["Cc"], mail["Bcc"]) == ("amina@example.org", None, None)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "OOF" in mail["X-Auto-Response-Suppress"] and "NDR" not in mail["X-Auto-Response-Suppress"]
    assert mail["List-Unsubscribe"] is None
    assert re.fullmatch(r"<[0-9a-f]{32}@upr\.example\.org>", mail["Message-ID"])
    assert parsedate_to_datetime(mail["Date"]) == LONG_BEFORE
    assert (mail["Content-Language"], mail.get_content_type()) == ("en", "multipart/alternative")
    assert [part["Content-Type"] for part in mail.iter_parts()] == [
        'text/plain; charset="utf-8"',
        'text/html; charset="utf-8"',
    ]


def test_replies_go_to_the_series_mailbox_where_it_has_one(settings):
    series = make_series(reply_to="series54@example.org")
    assert message_of(put(person={"context": {"series": series}}))["Reply-To"] == "series54@example.org"
    assert message_of(put())["Reply-To"] == settings.MAIL_REPLY_TO


def test_the_call_can_be_left_with_one_click():
    letter = put("call")
    mail = message_of(letter)
    assert mail["List-Unsubscribe"] == f"<{link_in(letter)}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = link_in(letter).rstrip("/").split("/")[-1]
    assert links.find(token, "leave", now=LONG_BEFORE).target_id == letter.recipient_id


def test_message_ids_cannot_be_guessed_and_dates_do_not_move():
    one, two = put(), put()
    assert one.message_id != two.message_id
    assert (one.message_id, one.date_header) == (message_of(one)["Message-ID"], message_of(one)["Date"])


@pytest.mark.parametrize(
    "text",
    [
        "Plain.\n",
        "Élan, naïveté\n",
        "يسر منظمة الاستعراض الدوري الشامل\n" * 20,
        "普遍定期审议\n" * 50,
        "x" * 5000 + "\n",
        ".\n..\n.dots at the start\n",
        "ends with blanks   \nand a tab\t\n",
        "From here on = equals\n",
    ],
)
def test_any_text_crosses_as_short_ascii_lines_and_comes_out_the_same(text):
    frozen = letters.freeze(
        letters.Text("Élan: " + "mots " * 30 + "fin", text, html=f"<p>{text}"),
        to="a@example.org",
        reply_to="b@example.org",
        message_id="<1@example.org>",
        date=letters.date_header(LONG_BEFORE),
    )
    lines = frozen.split(b"\r\n")
    assert frozen.isascii()
    assert lines[-1] == b""
    assert max(map(len, lines)) <= 998
    assert not set(b"\r\n") & set(b"".join(lines))
    assert content_of(frozen) == text
    assert message_from_bytes(frozen, policy=policy.default).get_body(("html",)).get_content() == f"<p>{text}".replace(
        "\n", "\r\n"
    )
    assert message_from_bytes(frozen, policy=policy.default)["Subject"] == "Élan: " + "mots " * 30 + "fin"
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^ \r\n]*\?=", frozen))


@pytest.mark.parametrize("method", ["PUBLISH", "CANCEL"])
def test_an_entry_for_the_calendar_comes_after_the_text_as_it_was(method):
    entry = f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nSUMMARY:Réunion {'مرحبا ' * 20}\r\nEND:VCALENDAR\r\n".encode()
    frozen = letters.freeze(
        letters.Text("Élan", "Plain.\n", html="<p>Plain."),
        to="a@example.org",
        reply_to="b@example.org",
        message_id="<1@example.org>",
        date=letters.date_header(LONG_BEFORE),
        calendar=entry,
    )
    message = message_from_bytes(frozen, policy=policy.default)
    assert [part.get_content_type() for part in message.iter_parts()] == ["multipart/alternative", "text/calendar"]
    assert content_of(frozen) == "Plain.\n"
    assert message.get_body(("html",)).get_content() == "<p>Plain.\r\n"
    file = next(iter(message.iter_attachments()))
    assert (file.get_filename(), file.get_param("method"), file.get_payload(decode=True)) == (
        "meeting.ics",
        method,
        entry,
    )
    assert frozen.isascii()
    assert max(map(len, frozen.split(b"\r\n"))) < 80


def test_names_are_not_escaped_as_for_a_web_page(timetable):
    timetable.occasion("named", label="named", template="named")
    assert body_of(put("named", person={"context": {"name": "O'Brien & <Sons>"}})) == "Dear O'Brien & <Sons>\n"


def test_the_hash_of_the_bytes_is_kept_in_the_open():
    letter = put()
    assert letter.body_sha256 == hashlib.sha256(letter.frozen).hexdigest()


def test_no_address_subject_text_or_token_stands_unencrypted(timetable):
    timetable.occasion("named", label="named", template="named", link="invitation")
    letter = put("named", to="amina@example.org", person={"context": {"name": "Xochitl"}})
    token = put().links.model and link_in(put())
    dump = stored_bytes()
    assert vault.blind_index("email", "amina@example.org").encode() in dump
    for secret in ("amina", "Xochitl", "Something for you", token.rstrip("/").split("/")[-1]):
        assert secret.encode() not in dump
    assert letter.to == "amina@example.org"


def test_the_kept_copy_and_everything_about_the_letter_is_without_its_link():
    letter = put()
    token = link_in(letter).rstrip("/").split("/")[-1]
    assert letter.kept == "Please open\n\nhttp://testserver/invitation/[struck out]/\n\nThank you.\n"
    assert "/invitation/[struck out]/" in letter.kept_html
    assert token not in str(vars(Letter.objects.defer("frozen").get()))


def test_a_preview_is_the_same_text_and_mints_nothing(people):
    text = outbox.preview("invitation", people[0])
    assert text.body == "Please open\n\nhttp://testserver/invitation/[struck out]/\n\nThank you.\n"
    assert 'href="http://testserver/invitation/[struck out]/"' in text.html
    assert (PersonalLink.objects.count(), Letter.objects.count()) == (0, 0)


def test_a_letter_is_due_now_and_dies_after_a_week_unless_something_else_is_said():
    letter = put()
    assert (letter.due_at, letter.next_attempt_at) == (LONG_BEFORE, LONG_BEFORE)
    assert letter.not_after == LONG_BEFORE + timedelta(days=7)
    later = put(due_at=LONG_BEFORE + timedelta(hours=1), not_after=LONG_BEFORE + timedelta(hours=2), priority=9)
    assert later.pk not in [taken.pk for taken in iter(lambda: Letter.take(LONG_BEFORE), None)]


def test_what_names_a_letter_gives_nobody_away():
    letter = put(key="receipt:K7QF2-9MXA4:1")
    assert str(letter) == "receipt:K7QF2-9MXA4:1"
    assert "amina" not in repr(letter)


# --- Django's own mails -------------------------------------------------------------------------------------------


def backend(settings):
    settings.EMAIL_BACKEND = "presessions.mail.backend.OutboxBackend"  # pytest-django puts its own in place


def test_django_s_own_mails_become_letters_one_per_person(settings):
    backend(settings)
    assert send_mail("New password", "Open https://x.example/reset/abc/ now", None, ["a@b.example", "c@d.example"]) == 1
    one, two = Letter.objects.order_by("pk")
    assert (one.to, two.to, one.kind) == ("a@b.example", "c@d.example", "django")
    assert body_of(one) == "Open https://x.example/reset/abc/ now\n"
    assert one.kept == "Open [struck out] now\n"


def test_a_mail_that_the_outbox_cannot_carry_whole_is_refused(settings):
    backend(settings)
    message = EmailMessage("S", "B", None, ["a@b.example"])
    message.attach("a.txt", "text", "text/plain")
    with pytest.raises(ValueError, match="attachments"):
        message.send()
