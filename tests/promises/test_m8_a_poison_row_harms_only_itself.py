"""M8. One letter that cannot be written, or an audience that cannot be listed, harms nothing but itself."""

import pytest
from django.db import connection

from presessions.mail import delivery, schedule, telling
from presessions.mail.models import Alarm
from presessions.mail.registry import Recipient
from tests.mail.factories import make_mailing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]


def person(number, *, to="poison@example.org", **context):
    return Recipient("mission", number, to=to, context=context)


# Names that are lines, a template's variable that is missing, bytes by the hundred thousand, addresses that are none.
POISON = [
    person("line", name="Line\nend"),
    person("bcc", name="Mission\r\nBcc: all@example.org"),
    person("return", name="Carriage\rreturn"),
    person("separator", name="Line\u2028separator"),
    person("zero", name="Zero\0"),
    person("reversed", name="Reversed \u202e name"),
    *(person(f"missing {n}") for n in range(4)),
    *(person(f"size {n}", name="x" * 300_000) for n in range(2)),
    *(
        person(f"address {n}", to=to, name="A")
        for n, to in enumerate(
            [
                "literal@[127.0.0.1]",
                "no address",
                "",
                "two@example.org, three@example.org",
                "line@example.org\r\nBcc: all@example.org",
                "reversed\u202e@example.org",
                "half\ud800@example.org",
                "ümlaut@example.org",
            ]
        )
    ),
]


def test_of_a_thousand_letters_twenty_are_poisoned_and_980_go(sink, timetable, people):
    people.clear()  # nobody gets the other mailings of the timetable
    good = [person(f"{n}", to=f"m{n}@m{n}.example", name=f"Mission {n}") for n in range(980)]
    everybody = [*good[:300], *POISON, *good[300:]]
    timetable.mailing("letter", label="letter", audience="all", template="named", months_before=("working_group", 1))(
        lambda mailing: everybody
    )
    now = make_mailing("letter").due_at
    assert len(POISON) == 20
    assert delivery.drain(0, now=lambda: now) == {"written": 1000, "sent": 980}
    assert set(sink.recipients) == {recipient.to for recipient in good}
    telling.look(now)
    assert Alarm.objects.filter(code="failed", ended_at=None).exists()


CODES = {
    "address": [
        "no address",
        "",
        "two@example.org, three@example.org",
        "line@example.org\r\nBcc: all@example.org",
        "literal@[127.0.0.1]",
        "reversed\u202e@example.org",
        "half\ud800@example.org",
        "ümlaut@example.org",
    ],
    "subject": ["Line\nend", "Carriage\rreturn", "Zero\0", "Reversed \u202e name", "Line\u2028separator"],
    "size": ["x" * 300_000],
}


@pytest.mark.parametrize(
    ("code", "person"),
    [("address", Recipient("mission", "poison", to=to, context={"name": "A"})) for to in CODES["address"]]
    + [("subject", Recipient("mission", "poison", to="a@b.example", context={"name": n})) for n in CODES["subject"]]
    + [("size", Recipient("mission", "poison", to="a@b.example", context={"name": n})) for n in CODES["size"]]
    + [("render", Recipient("mission", "poison", to="a@b.example", context={}))],
)
def test_one_poisoned_letter_fails_by_name_and_the_others_go(timetable, monkeypatch, code, person):
    people = [Recipient("mission", str(n), to=f"m{n}@example.org", context={"name": f"Mission {n}"}) for n in (1, 2)]
    people.insert(1, person)
    timetable.mailing("letter", label="letter", audience="all", template="named", months_before=("working_group", 1))(
        lambda mailing: people
    )
    mailing = make_mailing("letter")
    schedule.write_due(mailing.due_at)
    states = dict(mailing.letters.values_list("recipient_id", "state"))
    assert states == {"1": "pending", "poison": "failed", "2": "pending"}
    bad = mailing.letters.get(recipient_id="poison")
    assert (bad.last_code, bad.frozen, bad.links.count()) == (code, b"", 0)
    assert [attempt.code for attempt in bad.history.all()] == [code]


def test_a_method_that_fails_while_rendering_harms_its_letter_only(timetable):
    class Rotten:
        def __str__(self):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

    people = [
        Recipient("mission", "1", to="a@example.org", context={"name": Rotten()}),
        Recipient("mission", "2", to="b@example.org", context={"name": "B"}),
    ]
    timetable.mailing("letter", label="letter", audience="all", template="named", months_before=("working_group", 1))(
        lambda mailing: people
    )
    mailing = make_mailing("letter")
    schedule.write_due(mailing.due_at)
    assert dict(mailing.letters.values_list("recipient_id", "state")) == {"1": "failed", "2": "pending"}


def test_an_audience_that_cannot_be_listed_holds_its_mailing_and_no_other(timetable):
    def broken(mailing):
        yield Recipient("mission", "1", to="a@example.org")
        raise RuntimeError("amina@example.org is to blame")

    timetable.mailing(
        "gala", label="gala", audience="all", template="plain", months_before=("working_group", 1), order=1
    )(broken)
    gala = make_mailing("gala")
    schedule.write_due(gala.due_at)
    gala.refresh_from_db()
    assert (gala.state, gala.held_reason) == ("held", "audience")
    assert gala.series.mailings.get(kind="briefing").state == "sending"


def test_a_failing_audience_is_logged_without_its_words(timetable, caplog):
    def broken(mailing):
        raise RuntimeError("amina@example.org is to blame")

    timetable.mailing("gala", label="gala", audience="all", template="plain", days_before=("working_group", 9))(broken)
    gala = make_mailing("gala")
    schedule.write_due(gala.due_at)
    assert f"mailing {gala.pk} is held" in caplog.text
    assert "amina" not in caplog.text
