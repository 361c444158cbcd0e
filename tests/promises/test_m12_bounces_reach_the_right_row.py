"""M12: bounces reach the right row. At least 30 kinds of them, each read as it is meant; of the forged, none accepted.

Every mail of tests/promises/bounces is taken as the inbox takes it, beside letters that it is not about.
"""

import pytest

from presessions.mail import inbox
from presessions.mail.models import Attempt, Letter, Report
from tests.mail.factories import geneva, put
from tests.promises.bounced_mails import TOKEN, about, names

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable", "bounce_domain")]

NOW = geneva(2026, 3, 17, 9, 10)

WHAT = {  # the mail: its verdict, its code, and what becomes of a letter that was sent
    "charset_junk": ("hard", "5.1.1", "bounced"),
    "courier_user_unknown": ("hard", "5.1.1", "bounced"),
    "domino_not_listed": ("hard", "5.0.0", "bounced"),
    "exchange_not_found_in_french": ("hard", "5.1.10", "bounced"),
    "exim_unrouteable": ("hard", "failed", "bounced"),
    "exim_user_unknown": ("hard", "5.1.1", "bounced"),
    "fields_in_odd_order_and_case": ("hard", "5.1.1", "bounced"),
    "gmail_no_such_user": ("hard", "5.1.1", "bounced"),
    "huge": ("hard", "5.1.1", "bounced"),
    "mailbox_disabled": ("hard", "5.2.1", "bounced"),
    "nested_in_a_forwarded_mail": ("hard", "5.1.1", "bounced"),
    "no_message_id": ("hard", "5.1.1", "bounced"),
    "postfix_no_such_domain": ("hard", "5.4.4", "bounced"),
    "postfix_no_such_user": ("hard", "5.1.1", "bounced"),
    "qmail_no_host": ("hard", "5.1.2", "bounced"),
    "qmail_no_mailbox": ("hard", "5.1.1", "bounced"),
    "sendmail_user_unknown": ("hard", "5.1.1", "bounced"),
    "ses_with_a_message_id_of_its_own": ("hard", "5.1.1", "bounced"),
    "shouted_address": ("hard", "5.1.1", "bounced"),
    "status_as_plain_text": ("hard", "5.1.1", "bounced"),
    "status_in_base64": ("hard", "5.1.1", "bounced"),
    "status_in_utf8": ("hard", "5.1.1", "bounced"),
    "truncated": ("hard", "5.1.1", "bounced"),
    "yahoo_no_account": ("hard", "554", "bounced"),
    # This letter is lost; the next one to the same address may arrive.
    "exchange_expired": ("lost", "4.4.7", "bounced"),
    "exchange_mailbox_full": ("lost", "5.2.2", "bounced"),
    "exchange_only_members_may_write": ("lost", "5.7.133", "bounced"),
    "exim_retry_timeout": ("lost", "failed", "bounced"),
    "gmail_not_authenticated": ("lost", "5.7.26", "bounced"),
    "message_too_large": ("lost", "5.3.4", "bounced"),
    "postfix_gave_up": ("lost", "4.4.1", "bounced"),
    "qmail_too_long_in_queue": ("lost", "4.4.1", "bounced"),
    "security_gateway_policy": ("lost", "5.7.1", "bounced"),
    "several_recipients_none_reached": ("lost", "5.2.2", "bounced"),
    # A server keeps it, and tries.
    "exim_warning": ("soft", "4.7.1", "sent"),
    "gmail_delayed": ("soft", "4.4.1", "sent"),
    "greylisted": ("soft", "4.7.1", "sent"),
    "postfix_delayed": ("soft", "4.4.1", "sent"),
    # It arrived.
    "list_expanded": ("delivered", "2.1.5", "sent"),
    "postfix_delivered": ("delivered", "2.0.0", "sent"),
    "postfix_relayed": ("delivered", "2.0.0", "sent"),
    "read_receipt": ("delivered", "", "sent"),
    "several_recipients_one_reached": ("delivered", "2.1.5", "sent"),
    # Machines that answer.
    "out_of_office_arabic": ("automatic", "", "sent"),
    "out_of_office_chinese": ("automatic", "", "sent"),
    "out_of_office_exchange": ("automatic", "", "sent"),
    "out_of_office_french": ("automatic", "", "sent"),
    "out_of_office_rfc3834": ("automatic", "", "sent"),
    "out_of_office_russian": ("automatic", "", "sent"),
    "out_of_office_spanish": ("automatic", "", "sent"),
    "ticket_opened": ("automatic", "", "sent"),
    # For a person.
    "challenge_before_delivery": ("unknown", "", "sent"),
    "complaint_abuse": ("complaint", "abuse", "sent"),
    "complaint_opt_out": ("complaint", "opt-out", "sent"),
    "feedback_about_signatures": ("unknown", "", "sent"),
    "reply_of_a_person": ("unknown", "", "sent"),
}
FORGED = {  # not one of them is believed: its verdict, and whether a person is shown which letter it speaks of
    "empty": ("unknown", False),
    "forged_envelope_sender": ("forged", False),
    "forged_message_id_only": ("unknown", True),
    "forged_old_style_number": ("forged", False),
    "forged_other_letter": ("forged", False),
    "forged_unknown_message_id": ("unknown", False),
    "spam_that_looks_like_a_bounce": ("unknown", False),
}


@pytest.fixture
def bounce_domain(settings):
    settings.MAIL_BOUNCE_DOMAIN = "bounces.example.org"


@pytest.fixture
def letters():
    """Three letters that have gone; the one in the middle comes back."""
    return [sent() for _ in range(3)]


def sent(state="sent", **facts):
    letter = put()
    Letter.objects.filter(pk=letter.pk).update(**{"state": state, "attempts": 1, **facts})
    letter.refresh_from_db()
    return letter


def states(letters):
    return [Letter.objects.get(pk=letter.pk).state for letter in letters]


def test_there_are_more_than_thirty_kinds_and_the_table_knows_each():
    assert {*WHAT, *FORGED} == set(names())
    assert len(WHAT) >= 30


@pytest.mark.parametrize("name", WHAT)
def test_each_kind_is_understood_and_reaches_its_own_letter_only(name, letters):
    verdict, code, state = WHAT[name]
    assert inbox.take(about(letters[1], name), now=NOW) == verdict
    report = Report.objects.get()
    assert (report.verdict, report.code, report.letter) == (verdict, code, letters[1])
    assert TOKEN[:20] not in report.text  # the letter came back with its personal link
    assert states(letters) == ["sent", state, "sent"]
    told = {letters[1].pk} if state == "bounced" or verdict in ("soft", "complaint") else set()
    assert set(Attempt.objects.values_list("letter", flat=True)) == told


@pytest.mark.parametrize("name", FORGED)
def test_nothing_forged_is_accepted(name, letters):
    verdict, named = FORGED[name]
    assert inbox.take(about(letters[1], name, other=letters[2]), now=NOW) == verdict
    assert states(letters) == ["sent"] * 3
    assert not Attempt.objects.exists()
    report = Report.objects.get()
    assert report.letter == (letters[1] if named else None)
    assert report.handled_at is None  # a person is to read it


@pytest.mark.parametrize("name", [name for name, (verdict, *_) in WHAT.items() if verdict in ("hard", "lost")])
def test_without_a_domain_for_bounces_the_message_id_has_to_do(name, letters, settings):
    raw = about(letters[1], name)
    settings.MAIL_BOUNCE_DOMAIN = ""
    says_so = letters[1].message_id.encode() in raw
    assert inbox.take(raw, now=NOW) == (WHAT[name][0] if says_so else "unknown")
    assert states(letters) == ["sent", "bounced" if says_so else "sent", "sent"]


def test_most_kinds_name_the_message_id(letters):
    kinds = [name for name, (verdict, *_) in WHAT.items() if verdict in ("hard", "lost")]
    silent = {name for name in kinds if letters[1].message_id.encode() not in about(letters[1], name)}
    assert silent == {"ses_with_a_message_id_of_its_own", "truncated", "no_message_id"}


def test_a_reply_is_kept_without_the_link_that_it_quotes(letters):
    inbox.take(about(letters[1], "reply_of_a_person"), now=NOW)
    text = Report.objects.get().text
    assert "Could you tell us where the room is?" in text
    assert TOKEN[:20] not in text


# --- Once, and in whatever order ------------------------------------------------------------------------------------


def test_the_same_mail_read_twice_is_one_report_and_one_step(letters):
    raw = about(letters[1], "postfix_no_such_user")
    assert [inbox.take(raw, now=NOW) for _ in range(2)] == ["hard", "hard"]
    assert Report.objects.count() == 1
    assert Attempt.objects.filter(state="bounced").count() == 1


def test_two_reports_of_one_letter_are_two_reports_and_one_step(letters):
    for name in ("postfix_no_such_user", "gmail_no_such_user"):
        inbox.take(about(letters[1], name), now=NOW)
    assert Report.objects.count() == 2
    assert Attempt.objects.filter(state="bounced").count() == 1


@pytest.mark.parametrize(
    ("state", "facts"),
    [
        ("sending", {"phase": "data"}),  # the worker has not yet written down the 250
        ("uncertain", {"uncertain_at": NOW}),
        ("deferred", {"uncertain_at": NOW, "next_attempt_at": NOW}),  # about to be repeated
        ("pending", {"attempts": 0}),  # a database from before it went
    ],
)
@pytest.mark.parametrize(
    ("name", "settled"),
    [("postfix_no_such_user", "bounced"), ("postfix_delivered", "sent"), ("postfix_delayed", "sent")],
)
def test_a_report_settles_a_letter_of_which_nobody_was_sure(state, facts, name, settled):
    letter = sent(state, **facts)
    inbox.take(about(letter, name), now=NOW)
    letter.refresh_from_db()
    assert (letter.state, letter.phase, letter.next_attempt_at, bytes(letter.frozen)) == (settled, "", None, b"")


@pytest.mark.parametrize("state", ["bounced", "failed", "cancelled", "expired"])
def test_no_report_wakes_a_letter_that_is_settled_otherwise(state):
    letter = sent(state)
    for name in ("postfix_no_such_user", "postfix_delivered", "postfix_delayed"):
        inbox.take(about(letter, name), now=NOW)
    assert states([letter]) == [state]
    assert Report.objects.filter(letter=letter).count() == 3
