"""Reading the inbox: each mail once, whatever breaks and however many read; and what staff see of it.

The mailbox is stood for by a list; tests/e2e/test_inbox.py reads a real Dovecot.
"""

import base64
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.urls import reverse

from presessions.mail import bounces, delivery, inbox, registry, tasks, verp
from presessions.mail.models import Alarm, Attempt, Letter, Pulse, Report
from presessions.mail.registry import RecipientKind
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.mail.factories import LONG_BEFORE, put
from tests.promises.bounced_mails import about

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE


class Shelf:
    """Stands for the mailbox, and for every connection to it."""

    def __init__(self):
        self.mails, self.read, self.fetched = {}, set(), []

    def __call__(self, url):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def put(self, raw):
        self.mails[f"17.{len(self.mails) + 1}"] = raw

    def unread(self):
        return [place for place in self.mails if place not in self.read]

    def fetch(self, place):
        self.fetched.append(place)
        return self.mails[place]

    def mark_read(self, places):
        self.read.update(places)


@pytest.fixture(autouse=True)
def shelf(settings, monkeypatch):
    settings.MAIL_BOUNCE_DOMAIN = "bounces.example.org"
    settings.INBOX_URL = "imaps://nobody@127.0.0.1:9/INBOX"
    shelf = Shelf()
    monkeypatch.setattr(inbox, "Mailbox", shelf)
    return shelf


@pytest.fixture
def mailbox(monkeypatch):
    """The real one, for a server that is none."""
    monkeypatch.undo()


def sent(**fields):
    letter = put(**fields)
    Letter.objects.filter(pk=letter.pk).update(state="sent", attempts=1)
    letter.refresh_from_db()
    return letter


def read():
    return dict(inbox.read(now=lambda: NOW))


# --- Once ------------------------------------------------------------------------------------------------------------


def test_what_is_understood_is_marked_as_read_and_what_a_person_must_see_is_not(shelf):
    letter = sent()
    for name in ("postfix_no_such_user", "reply_of_a_person", "forged_envelope_sender", "out_of_office_arabic"):
        shelf.put(about(letter, name))
    assert read() == {"hard": 1, "unknown": 1, "forged": 1, "automatic": 1}
    assert shelf.unread() == ["17.2", "17.3"]


def test_a_mail_that_stays_unread_is_fetched_once_only(shelf):
    shelf.put(about(sent(), "reply_of_a_person"))
    for _ in range(3):
        read()
    assert shelf.fetched == ["17.1"]


def test_after_the_mailbox_was_numbered_anew_it_is_fetched_once_more_only(shelf):
    shelf.put(about(sent(), "reply_of_a_person"))
    read()
    shelf.mails = {"18.1": shelf.mails["17.1"]}
    for _ in range(3):
        assert sum(read().values()) <= 1
    assert shelf.fetched == ["17.1", "18.1"]
    assert (Report.objects.get().place, shelf.unread()) == ("18.1", ["18.1"])


def test_of_copies_one_stays_unread_and_none_is_fetched_twice(shelf):
    raw = about(sent(), "reply_of_a_person")
    shelf.put(raw), shelf.put(raw)
    read()
    shelf.put(raw)
    for _ in range(3):
        read()
    assert shelf.fetched == ["17.1", "17.2", "17.3"]
    assert (Report.objects.count(), shelf.unread()) == (1, ["17.1"])


def test_a_run_that_was_killed_before_it_marked_a_mail_is_finished_by_the_next(shelf, monkeypatch):
    letter = sent()
    shelf.put(about(letter, "postfix_no_such_user"))
    with monkeypatch.context() as killed:
        killed.setattr(shelf, "mark_read", lambda places: places and 1 / 0)
        with pytest.raises(ZeroDivisionError):
            read()
    assert (Report.objects.count(), shelf.unread()) == (1, ["17.1"])
    assert read() == {}
    assert (shelf.fetched, shelf.unread()) == (["17.1"], [])
    assert Attempt.objects.filter(letter=letter, state="bounced").count() == 1


def test_a_mail_that_breaks_something_stops_no_other_and_is_tried_again(shelf, monkeypatch, caplog):
    poison, fine = sent(), sent()
    shelf.put(about(poison, "postfix_no_such_user"))
    shelf.put(about(fine, "postfix_no_such_user"))

    def break_it(letter, **facts):
        if letter == poison:
            raise KeyError("amina@example.org")

    monkeypatch.setitem(registry.RECIPIENTS, "person", RecipientKind(on_bounce=break_it))
    assert read() == {"trouble": 1, "hard": 1}
    assert shelf.unread() == ["17.1"]
    assert Alarm.objects.get(ended_at=None).code == "returned"
    assert "amina" not in caplog.text
    monkeypatch.setitem(registry.RECIPIENTS, "person", RecipientKind())
    assert read() == {"hard": 1}
    assert not Alarm.objects.filter(ended_at=None).exists()


def test_a_database_that_is_gone_is_not_the_mail_s_fault(shelf, monkeypatch):
    shelf.put(about(sent(), "postfix_no_such_user"))

    def gone(*args, **facts):
        raise OperationalError

    monkeypatch.setattr(inbox, "judge", gone)
    with pytest.raises(OperationalError):
        read()
    assert shelf.unread() == ["17.1"]


def test_it_ends_in_time_and_goes_on_next_time(shelf):
    letter = sent()
    for name in ("out_of_office_arabic", "out_of_office_french"):
        shelf.put(about(letter, name))
    assert inbox.read(now=lambda: NOW, seconds=-1) == {}
    assert read() == {"automatic": 2}


def test_reading_costs_the_same_queries_however_many_mails_were_left_unread(shelf, django_assert_num_queries):
    letter = sent()
    for number in range(30):
        shelf.put(about(letter, "reply_of_a_person", to=f"r{number}@example.org", token=f"{number}"))
    read()
    with django_assert_num_queries(1):
        inbox._new(shelf, shelf.unread())


# --- Racing the worker -----------------------------------------------------------------------------------------------


def test_a_bounce_that_is_faster_than_our_own_commit_is_not_overwritten(sink, shelf):
    """A relay may return a letter before the worker that handed it over has written down the 250."""
    letter = put(now=NOW)

    class Slow(delivery.Wire):
        def deliver(self, *args, **facts):
            answer = super().deliver(*args, **facts)
            letter.refresh_from_db()
            assert (letter.state, letter.phase) == ("sending", "data")
            shelf.put(about(letter, "postfix_no_such_user"))
            assert read() == {"hard": 1}
            return answer

    with Slow() as wire:
        assert delivery.send(delivery.claim(NOW), wire, lambda: NOW) == "lost"
    letter.refresh_from_db()
    assert letter.state == "bounced"
    assert list(Attempt.objects.filter(letter=letter).values_list("state", flat=True))[-1] == "bounced"
    assert len(sink.mails) == 1


def test_a_letter_that_is_being_repeated_is_not_handed_over_once_its_first_copy_was_delivered(sink, shelf):
    letter = put(now=NOW)
    Letter.objects.filter(pk=letter.pk).update(state="deferred", uncertain_at=NOW, resends=1, attempts=1)
    claimed = delivery.claim(NOW)
    shelf.put(about(letter, "postfix_delivered"))
    read()
    with delivery.Wire() as wire:
        assert delivery.send(claimed, wire, lambda: NOW) == "lost"
    letter.refresh_from_db()
    assert (letter.state, letter.sent_at, sink.mails) == ("sent", NOW, [])


# --- Any bytes whatever ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff" * 1000,
        b"\n" * 300_000,
        b"- " * 150_000,
        b"a" * 300_000,
        b"From: postmaster@example.org\nSubject: Undelivered Mail\n\n" + b"a@" * 150_000,
        b"From: postmaster@example.org\nSubject: Undelivered Mail\n\n" + b"a" * 300_000 + b"@",
        b"Subject: " + b"=?a?q?" * 40_000 + b"\n\nx",
        b"To: " + b"x" * 300_000 + b"\n\nx",
        b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n\n" * 40_000,
        b"Content-Type: message/rfc822\n\n" * 9_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(5_000)),
        b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"
        + b"Final-Recipient: rfc822; a@example.org\nAction: failed\n\n" * 4_000,
        b"Content-Type: text/html\nFrom: mailer-daemon@example.org\n\nfailed " + b"<" * 200_000,
    ],
    ids=range(14),
)
def test_no_mail_breaks_the_reader_or_keeps_it_busy(raw):
    finding = bounces.read(raw)
    assert len(finding.words) <= bounces.MOST_WORDS + 3000
    assert inbox.take(raw, now=NOW) in ("unknown", "forged")


def packed(charset, words):
    head = f"From: a@example.org\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n"
    return head.encode() + base64.b64encode(words)


@pytest.mark.parametrize(
    "raw",
    [
        packed("utf-8", b"Message-ID: <abc\0def@example.org>\n"),
        packed("unicode_escape", rb"Sorry \ud800, no such user"),
        packed("utf-7", b"Sorry +2AA-, no such user"),
        packed(
            "utf-8", b"Final-Recipient: rfc822; a\0@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: x\0"
        ),
        b"In-Reply-To: <abc\0def@example.org>\n\nThank you\0.",
        b"In-Reply-To: <abc\xff\xfedef@example.org>\nTo: \xe9\0@bounces.example.org\n\nThank you.",
        b"Subject: =?unicode_escape?b?" + base64.b64encode(rb"\ud800 \0") + b"?=\n\nThank you.",
        b"From: =?utf-7?q?+2AA-?= <a@example.org>\n\nThank you.",
    ],
    ids=range(8),
)
def test_signs_that_no_database_keeps_are_taken_out_and_a_person_reads_the_rest(shelf, raw):
    shelf.put(raw)
    assert read() == {"unknown": 1}
    assert "\0" not in Report.objects.get().text
    assert read() == {}
    assert shelf.fetched == ["17.1"]


def test_such_signs_in_a_true_bounce_hide_nothing(shelf):
    letter = sent()
    shelf.put(about(letter, "postfix_no_such_user").replace(b"5.1.1", b"5.1.1 \0", 1).replace(b"550", b"550\0", 1))
    assert read() == {"hard": 1}
    letter.refresh_from_db()
    assert letter.state == "bounced"


def test_what_still_cannot_be_kept_is_noted_without_its_words_and_fetched_once_only(shelf, monkeypatch, caplog):
    """Whatever a stranger writes, no alarm rings for it day after day, and 500 of them hide no bounce behind them."""
    shelf.put(b"From: amina@example.org\n\nAmina")
    monkeypatch.setattr(bounces, "read", lambda raw: bounces.Finding("unknown", words="Amina \ud800"))
    assert read() == {"unknown": 1}
    report = Report.objects.get()
    assert (report.verdict, report.place, report.text, report.handled_at) == ("unknown", "17.1", "", None)
    assert not Alarm.objects.filter(ended_at=None).exists()
    assert read() == {}
    assert shelf.fetched == ["17.1"]
    assert "amina" not in caplog.text.lower()


# --- The bell, the command, the alarm --------------------------------------------------------------------------------


def test_without_an_inbox_nothing_is_read_and_the_command_says_so(settings, shelf):
    settings.INBOX_URL = ""
    shelf.put(about(sent(), "postfix_no_such_user"))
    tasks.read_inbox()
    said = StringIO()
    call_command("read_inbox", stdout=said)
    assert "INBOX_URL is empty" in said.getvalue()
    assert shelf.fetched == []


def test_the_bell_and_the_command_read_it(shelf):
    letter, said = sent(), StringIO()
    shelf.put(about(letter, "postfix_no_such_user"))
    tasks.read_inbox()
    shelf.put(about(letter, "out_of_office_arabic"))
    call_command("read_inbox", stdout=said)
    assert said.getvalue() == "1 × automatic reply\n"
    assert Pulse.objects.filter(part="inbox").exists()


@pytest.mark.usefixtures("mailbox")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("imap://nobody:secret@127.0.0.1:{port}/INBOX", "needs an encrypted line"),
        ("imaps://nobody:secret@127.0.0.1:{port}/INBOX", "does not answer in time"),
        ("imap+tls://nobody:secret@127.0.0.1:{port}/INBOX", "does not answer in time"),
        ("imaps://nobody:secret@127.0.0.1:9/INBOX", "No mail server listens"),
        ("imaps://nobody:secret@127.0.0.1:wrong/INBOX", "cannot be read: ValueError"),
    ],
)
def test_an_inbox_that_cannot_be_read_is_told_in_words_without_its_password(settings, url, words):
    settings.MAIL_COMMAND_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.INBOX_URL = url.format(port=silent.getsockname()[1])
        with pytest.raises(CommandError, match=words) as refusal:
            call_command("read_inbox")
        tasks.read_inbox()  # logs, and tries again in five minutes
    assert "secret" not in str(refusal.value)
    assert not Pulse.objects.filter(part="inbox").exists()


# --- What staff see --------------------------------------------------------------------------------------------------


@pytest.fixture
def staff(client, user):
    client.force_login(user)
    with time_machine.travel(NOW, tick=False):
        yield client


def test_the_list_opens_on_what_a_person_must_read(staff):
    letter = sent()
    for name in ("postfix_no_such_user", "forged_envelope_sender", "complaint_abuse", "reply_of_a_person"):
        inbox.take(about(letter, name), now=NOW)
    page = reverse("admin:mail_report_changelist")
    opened = staff.get(page)
    assert {report.verdict for report in opened.context["cl"].result_list} == {"forged", "complaint", "unknown"}
    assert "Inbox: 3 mails to read" in opened.content.decode()
    assert len(staff.get(page, {"eyes": "all"}).context["cl"].result_list) == 4
    assert len(staff.get(page, {"q": letter.message_id}).context["cl"].result_list) == 3
    assert len(staff.get(page, {"q": "5.1.1"}).context["cl"].result_list) == 2


def test_a_report_is_shown_as_text_and_nothing_in_it_is_a_link(staff):
    raw = b"From: a@example.org\nSubject: <script>alert(1)</script>\n\n<a href='https://evil.example/'>press</a>\n"
    inbox.take(raw, now=NOW)
    page = staff.get(reverse("admin:mail_report_change", args=[Report.objects.get().pk])).content.decode()
    assert "<script>alert" not in page and 'evil.example/"' not in page and "href='https://evil" not in page
    assert "&lt;script&gt;" in page


def test_staff_deal_with_a_report_once_and_the_second_is_told(staff, user):
    inbox.take(about(sent(), "reply_of_a_person"), now=NOW)
    report = Report.objects.get()
    page = reverse("admin:mail_report_change", args=[report.pk])
    staff.post(page, {"step": "deal_with", "reason": "Answered by telephone."})
    report.refresh_from_db()
    assert report.handled_at == NOW
    assert Event.objects.about(report).get().reason.text == "Answered by telephone."
    with pytest.raises(WrongStep, match="already"):
        report.deal_with(by=user, now=NOW + timedelta(hours=1))


def test_an_index_serves_the_list_of_what_is_to_be_read():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan TO off")
        query, values = Report.objects.for_a_person().order_by("-read_at")[:50].query.sql_with_params()
        cursor.execute(f"EXPLAIN {query}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "report_for_a_person" in plan


def test_each_letter_goes_with_an_envelope_sender_of_its_own(sink):
    letters, senders = [put(now=NOW), put(now=NOW)], []

    class Listening(delivery.Wire):
        def deliver(self, *args, sender, **facts):
            senders.append(sender)
            return super().deliver(*args, sender=sender, **facts)

    with Listening() as wire:
        for _ in letters:
            delivery.send(delivery.claim(NOW), wire, lambda: NOW)
    assert len(sink.mails) == 2
    assert {verp.letter_of(sender) for sender in senders} == {letter.pk for letter in letters}


@pytest.mark.django_db(transaction=True)
def test_ten_who_take_the_same_mail_at_once_take_it_once():
    letter = sent()
    raw, together = about(letter, "postfix_no_such_user"), Barrier(10)

    def take(_number):
        together.wait()
        try:
            return inbox.take(raw, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as crowd:
        assert list(crowd.map(take, range(10))) == ["hard"] * 10
    assert Report.objects.count() == 1
    assert Attempt.objects.filter(letter=letter, state="bounced").count() == 1
