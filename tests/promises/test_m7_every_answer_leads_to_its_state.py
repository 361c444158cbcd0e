"""M7. Every answer of a mail server leads to the right state, and no fault of ours is blamed on a recipient.

Greeting, MAIL, RCPT, DATA and the final dot, each with a good answer, a refusal for now, a refusal for good, silence, a
dropped connection and garbage: 30 of 30. The server is a real one; more of the odd ones have shown up since.
"""

from datetime import timedelta
from itertools import product

import pytest

from presessions.mail import delivery
from presessions.mail.models import Letter, Switch
from tests.mail.factories import LONG_BEFORE, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
MINUTE = timedelta(minutes=1)


def drain(now=NOW):
    """Send what is due at an instant, once."""
    return delivery.drain(0, now=lambda: now)


def fresh(letter):
    return Letter.objects.get(pk=letter.pk)


# stage, the server's answer -> what becomes of the letter, and the code that staff see
TABLE = {
    ("greeting", "220 hello"): ("sent", "250"),
    ("greeting", "421 busy"): ("later", "421"),
    ("greeting", "554 go away"): ("paused", "554"),
    ("greeting", "hang"): ("later", "timeout"),
    ("greeting", "drop"): ("later", "dropped"),
    ("greeting", "garbage"): ("later", "garbage"),
    ("MAIL", "250 ok"): ("sent", "250"),
    ("MAIL", "451 later"): ("later", "451"),
    ("MAIL", "550 not you"): ("paused", "550"),
    ("MAIL", "hang"): ("later", "timeout"),
    ("MAIL", "drop"): ("later", "dropped"),
    ("MAIL", "garbage"): ("later", "garbage"),
    ("RCPT", "250 ok"): ("sent", "250"),
    ("RCPT", "450 greylisted"): ("later", "450"),
    ("RCPT", "550 no such user"): ("failed", "550"),
    ("RCPT", "hang"): ("later", "timeout"),
    ("RCPT", "drop"): ("later", "dropped"),
    ("RCPT", "garbage"): ("later", "garbage"),
    ("DATA", "250 what?"): ("later", "garbage"),  # only 354 means that it waits for the text
    ("DATA", "451 later"): ("later", "451"),
    ("DATA", "554 no"): ("failed", "554"),
    ("DATA", "hang"): ("later", "timeout"),
    ("DATA", "drop"): ("later", "dropped"),
    ("DATA", "garbage"): ("later", "garbage"),
    ("dot", "250 taken"): ("sent", "250"),
    ("dot", "452 full"): ("later", "452"),
    ("dot", "554 spam"): ("failed", "554"),
    ("dot", "hang"): ("doubt", "timeout"),
    ("dot", "drop"): ("doubt", "dropped"),
    ("dot", "garbage"): ("doubt", "garbage"),
}
ODD = {
    ("EHLO", "451 busy"): ("later", "451"),
    ("EHLO", "421 busy"): ("later", "dropped"),  # asked again as HELO, the server is gone
    ("EHLO", "drop"): ("later", "dropped"),
    ("MAIL", "421 later"): ("later", "421"),
    ("RCPT", "550 " + "endless " * 2000): ("later", "garbage"),  # no reply of SMTP's, whatever it begins with
    ("DATA", "mid-drop"): ("doubt", "dropped"),
    ("dot", "354 what?"): ("doubt", "garbage"),
    ("dot", "accept-drop"): ("doubt", "dropped"),
    ("dot", "accept-hang"): ("doubt", "timeout"),
}


def kind(answer):
    return answer if answer in ("hang", "drop", "garbage") else answer[0].replace("3", "2")


def test_the_table_is_whole():
    stages, kinds = ("greeting", "MAIL", "RCPT", "DATA", "dot"), ("2", "4", "5", "hang", "drop", "garbage")
    assert sorted((stage, kind(answer)) for stage, answer in TABLE) == sorted(product(stages, kinds))


@pytest.mark.parametrize(("stage", "answer", "becomes", "code"), [(*k, *v) for k, v in (TABLE | ODD).items()])
def test_every_answer_leads_to_its_state(sink, stage, answer, becomes, code):
    letter = put()
    sink.order(**{stage: [answer] * (2 if stage == "EHLO" else 1)})
    drain()
    letter = fresh(letter)
    paused = Switch.get().paused_at
    assert (letter.last_code, bool(paused)) == (code, becomes == "paused")
    match becomes:
        case "later":
            assert (letter.state, letter.next_attempt_at) == ("deferred", NOW + MINUTE)
            assert (letter.deferrals, letter.resends, letter.uncertain_at) == (1, 0, None)
        case "failed":
            assert (letter.state, letter.frozen) == ("failed", b"")
        case "sent":
            assert letter.state == "sent"
        case "paused":  # our fault, not the recipient's
            assert (letter.state, letter.deferrals, letter.next_attempt_at) == ("deferred", 0, NOW)
        case "doubt":
            assert (letter.state, letter.next_attempt_at) == ("deferred", NOW + 15 * MINUTE)
            assert (letter.resends, letter.uncertain_at) == (1, NOW)
